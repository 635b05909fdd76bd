"""Audiences over REST: import a CSV file, count a segment."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import ObjectField, StrictSerializer
from notifications.broadcasts.api.broadcasts import VIEW
from notifications.broadcasts.api.shapes import AUDIENCE_HELP
from notifications.broadcasts.audiences.files import FIELDS
from notifications.broadcasts.audiences.imports import audience_import
from notifications.broadcasts.audiences.uploads import AT_ONCE_BYTES, upload_get, upload_keep
from notifications.broadcasts.models import Upload
from notifications.broadcasts.services import audience_count
from notifications.broadcasts.trying import counting

PATIENCE_MS = 10_000


class AudienceUpload(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    file = serializers.FileField(help_text="CSV in UTF-8: columns user_id, login, telegram_id.")
    user_id = serializers.CharField(
        max_length=200,
        required=False,
        help_text="The column that holds it, if its name does not say so.",
    )
    login = serializers.CharField(max_length=200, required=False, help_text="Likewise.")
    telegram_id = serializers.CharField(max_length=200, required=False, help_text="Likewise.")


class RejectOutput(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    reason = serializers.CharField()
    text = serializers.CharField()


class AudienceImported(serializers.Serializer[Any]):
    audience_id = serializers.UUIDField()
    rows = serializers.IntegerField()
    members = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    mapping = serializers.DictField(child=serializers.CharField())
    rejects = RejectOutput(many=True, help_text="The first 1,000.")


class ImportShape(serializers.Serializer[Any]):
    """The import of a large file. What it came to stands here once it is done."""

    import_id = serializers.UUIDField()
    state = serializers.CharField(help_text="waiting, running, done, failed or cancelled.")
    error = serializers.CharField(help_text="Why it failed.")
    progress = serializers.CharField(help_text="Where its progress is told.")
    result = AudienceImported(allow_null=True)


class AudienceInput(StrictSerializer):
    audience = ObjectField(help_text=AUDIENCE_HELP)


class AudienceCount(serializers.Serializer[Any]):
    people = serializers.IntegerField()


class AudiencesApi(APIView):
    required_permission = "broadcasts.add_audience"
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="broadcast_audiences_import",
        summary="Import a CSV file as an audience",
        description="Up to 256 kB at once (201); what is larger is kept and imported by a job (202).",
        tags=["broadcasts"],
        request={"multipart/form-data": AudienceUpload},
        responses={
            201: AudienceImported,
            202: ImportShape,
            **refusals(s422="`invalid_file`: says why"),
        },
    )
    def post(self, request: Request) -> Response:
        data = AudienceUpload(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        name, file = given["name"], given["file"]
        about: dict[str, Any] = {
            "source": file.name or "", "by": request.user,
            "mapping": {each: given[each] for each in FIELDS if given.get(each)} or None,
        }  # fmt: skip
        if file.size > AT_ONCE_BYTES:
            kept = upload_keep(name, file.file, size=file.size, **about)
            return Response(_shown(kept), status=202)
        return Response(asdict(audience_import(name, file.file, **about)), status=201)


class AudienceImportApi(APIView):
    required_permission = "broadcasts.view_audience"

    @extend_schema(
        operation_id="broadcast_audiences_import_get",
        summary="How the import of a large file goes, and what came of it",
        tags=["broadcasts"],
        responses={200: ImportShape, **refusals(s404="`import_unknown`")},
    )
    def get(self, request: Request, upload_id: UUID) -> Response:
        del request
        return Response(_shown(upload_get(upload_id)))


def _shown(row: Upload) -> dict[str, Any]:
    audience = row.audience
    names = ("rows", "members", "duplicates", "rejected", "mapping", "rejects")
    return {
        "import_id": row.pk,
        "state": row.state,
        "error": row.error,
        "progress": f"/api/v1/progress/{row.pk}",
        "result": audience
        and {"audience_id": audience.pk, **{name: getattr(audience, name) for name in names}},
    }


class AudienceCountApi(APIView):
    required_permission = VIEW

    @extend_schema(
        operation_id="broadcast_audiences_count",
        summary="Count the people of an audience now",
        tags=["broadcasts"],
        request=AudienceInput,
        responses={
            200: AudienceCount,
            **refusals(
                s409="`count_slow`: it takes longer than a request may",
                s422="`invalid_audience`: says why",
            ),
        },
        examples=[
            OpenApiExample(
                "Who reads Russian and has Telegram",
                {
                    "audience": {
                        "type": "segment",
                        "match": "all",
                        "conditions": [
                            {"field": "language", "op": "is", "value": ["ru"]},
                            {"field": "has_telegram", "op": "is", "value": True},
                        ],
                    }
                },
                request_only=True,
            ),
            OpenApiExample("So many", {"people": 1204}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        data = AudienceInput(data=request.data)
        data.is_valid(raise_exception=True)
        with counting(PATIENCE_MS):
            people = audience_count(data.validated_data["audience"])
        return Response({"people": people})
