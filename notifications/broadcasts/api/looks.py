"""Looking at a broadcast over REST: how far it is, who got it and who did not, whom it would reach."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from lib.errors import InputInvalid
from notifications.broadcasts.api.broadcasts import UNKNOWN, VIEW
from notifications.broadcasts.api.shapes import LedgerOutput, ProgressOutput, number_read
from notifications.broadcasts.models import Channel, Fate
from notifications.broadcasts.selectors import broadcast_get, ledger_page, progress_of
from notifications.broadcasts.services import broadcast_dry_run, broadcast_preview

_BIG = 2**63 - 1


class DryRunOutput(serializers.Serializer[Any]):
    people = serializers.IntegerField()
    channels = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        help_text="Per channel: `send`, and how many would be skipped by reason.",
    )
    languages = serializers.DictField(child=serializers.IntegerField())
    unmatched = serializers.IntegerField()


class TextOutput(serializers.Serializer[Any]):
    channel = serializers.CharField()
    language = serializers.CharField()
    text = serializers.CharField()
    parse_mode = serializers.CharField(allow_null=True)


class PreviewOutput(serializers.Serializer[Any]):
    texts = TextOutput(many=True)


class ProgressApi(APIView):
    required_permission = VIEW

    @extend_schema(
        operation_id="broadcasts_progress",
        summary="How far a broadcast is",
        description="Exact numbers, fates per second, seconds left. Cheap: ask as often as you like.",
        tags=["broadcasts"],
        responses={200: ProgressOutput, **refusals(s404=UNKNOWN)},
    )
    def get(self, request: Request, broadcast_id: UUID) -> Response:
        del request
        return Response(ProgressOutput(progress_of(broadcast_id)).data)


class LedgerApi(APIView):
    required_permission = VIEW

    @extend_schema(
        operation_id="broadcasts_ledger",
        summary="Who got a broadcast, who did not, and why",
        tags=["broadcasts"],
        parameters=[
            OpenApiParameter("channel", str, enum=Channel.values),
            OpenApiParameter("fate", str, description="One or more of them, separated by commas."),
            OpenApiParameter("reason", str),
            OpenApiParameter(
                "search", str, description="User id, Telegram id, or how a login begins."
            ),
            OpenApiParameter("limit", int, description="1 to 1000, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: LedgerOutput, **refusals(s404=UNKNOWN, s422="`invalid`: a parameter")},
    )
    def get(self, request: Request, broadcast_id: UUID) -> Response:
        broadcast_get(broadcast_id)
        given = request.query_params
        fates = [each for each in given.get("fate", "").split(",") if each]
        if strange := set(fates) - set(Fate.values):
            why = f"{min(strange)!r} is none of {', '.join(Fate.values)}"
            raise InputInvalid(f"fate {why}", errors=[{"field": "fate", "message": why}])
        channel = given.get("channel", "")
        if channel not in {"", *Channel.values}:
            why = f"must be one of {', '.join(Channel.values)}"
            raise InputInvalid(f"channel {why}", errors=[{"field": "channel", "message": why}])
        page = ledger_page(
            broadcast_id,
            channel=channel,
            fates=fates,
            reason=given.get("reason", "").replace("\x00", ""),
            search=given.get("search", "").replace("\x00", ""),
            after=number_read(given.get("cursor"), "cursor", usual=0, most=_BIG),
            limit=max(1, number_read(given.get("limit"), "limit", usual=50, most=1000)),
        )
        cursor = None if page.next_after is None else str(page.next_after)
        return Response(LedgerOutput({"items": page.entries, "next_cursor": cursor}).data)


class DryRunApi(APIView):
    required_permission = VIEW

    @extend_schema(
        operation_id="broadcasts_dry_run",
        summary="Count whom a broadcast would reach now",
        tags=["broadcasts"],
        responses={200: DryRunOutput, **refusals(s404=UNKNOWN, s422="`invalid_audience`")},
        examples=[
            OpenApiExample(
                "Nine of ten",
                {
                    "people": 10,
                    "channels": {
                        "telegram": {"send": 9, "no_telegram": 1, "muted": 0, "duplicate_chat": 0}
                    },
                    "languages": {"en": 8, "ru": 2},
                    "unmatched": 0,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, broadcast_id: UUID) -> Response:
        del request
        return Response(asdict(broadcast_dry_run(broadcast_id=broadcast_id)))


class PreviewApi(APIView):
    required_permission = VIEW

    @extend_schema(
        operation_id="broadcasts_preview",
        summary="The texts of a broadcast, per channel and language",
        tags=["broadcasts"],
        responses={200: PreviewOutput, **refusals(s404=UNKNOWN)},
    )
    def get(self, request: Request, broadcast_id: UUID) -> Response:
        del request
        return Response(
            {"texts": [asdict(text) for text in broadcast_preview(broadcast_id=broadcast_id)]}
        )
