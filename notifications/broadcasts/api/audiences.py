"""Audiences over REST: import a CSV file, count a segment."""

from dataclasses import asdict
from typing import Any

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
from notifications.broadcasts.audiences.imports import audience_import
from notifications.broadcasts.services import audience_count
from notifications.broadcasts.trying import counting

PATIENCE_MS = 10_000


class AudienceUpload(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    file = serializers.FileField(help_text="CSV in UTF-8: columns user_id, login, telegram_id.")


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
        tags=["broadcasts"],
        request={"multipart/form-data": AudienceUpload},
        responses={201: AudienceImported, **refusals(s422="`invalid_file`: says why")},
    )
    def post(self, request: Request) -> Response:
        data = AudienceUpload(data=request.data)
        data.is_valid(raise_exception=True)
        file = data.validated_data["file"]
        result = audience_import(
            data.validated_data["name"], file.file, source=file.name or "", by=request.user
        )
        return Response(asdict(result), status=201)


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
