"""Payments over REST: lists by filter, one with its story, and a check with the provider."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from lib.errors import InputInvalid
from notifications.webhooks.api.parameters import MOST, moment_read, number_read, uuid_read
from payments import services
from payments.api.shapes import (
    EXAMPLE,
    STORY_EXAMPLE,
    PaymentDetailOutput,
    PaymentEventOutput,
    PaymentOutput,
    PaymentQuestionOutput,
)
from payments.listing.payments import (
    PAGE,
    PaymentFilter,
    payment_get,
    payments_page,
    questions_of,
    story_of,
)
from payments.models import FoundBy, Purpose, State

TAGS = ["payments"]
VIEW = "payments.view_payment"
OPERATE = "payments.operate_payment"
_GONE = "`not_found`"


class PaymentsFound(serializers.Serializer[Any]):
    items = PaymentOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class PaymentsApi(APIView):
    """Payments by filter."""

    required_permission = VIEW

    @extend_schema(
        operation_id="payments_list",
        summary="List payments",
        description="Newest first. What is not given matches all.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("state", str, enum=State.values),
            OpenApiParameter("purpose", str, enum=Purpose.values),
            OpenApiParameter("found_by", str, enum=FoundBy.values),
            OpenApiParameter("provider", str),
            OpenApiParameter("plan", str, description="The code of a plan."),
            OpenApiParameter("currency", str, description="In which the price stands."),
            OpenApiParameter("asset", str, description="In which it was paid."),
            OpenApiParameter("invoice", str, description="The provider's number."),
            OpenApiParameter("subscriber", int),
            OpenApiParameter("telegram_id", int),
            OpenApiParameter("created_from", datetime),
            OpenApiParameter("created_to", datetime),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: PaymentsFound, **refusals(s422="`invalid`: a filter, limit or cursor")},
        examples=[
            OpenApiExample(
                "One was paid", {"items": [EXAMPLE], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        page = payments_page(
            _where(given),
            after=uuid_read(given, "cursor"),
            size=number_read(given, "limit", MOST) or PAGE,
        )
        return Response(
            {
                "items": PaymentOutput(page.payments, many=True).data,
                "next_cursor": None if page.after is None else str(page.after),
            }
        )


def _where(given: Mapping[str, str]) -> PaymentFilter:
    return PaymentFilter(
        state=_one_of(given, "state", State.values),
        purpose=_one_of(given, "purpose", Purpose.values),
        found_by=_one_of(given, "found_by", FoundBy.values),
        provider=_word(given, "provider"),
        plan_code=_word(given, "plan"),
        currency=_word(given, "currency"),
        asset=_word(given, "asset"),
        external_id=_word(given, "invoice"),
        subscriber_id=number_read(given, "subscriber"),
        telegram_id=number_read(given, "telegram_id"),
        created_from=moment_read(given, "created_from"),
        created_to=moment_read(given, "created_to"),
    )


def _word(given: Mapping[str, str], name: str) -> str:
    word = given.get(name, "")
    if not word.isprintable() or len(word) > 64:
        raise _refused(name, "must be a word")
    return word


def _one_of(given: Mapping[str, str], name: str, words: list[str]) -> str:
    word = given.get(name, "")
    if word and word not in words:
        raise _refused(name, f"must be one of {', '.join(words)}")
    return word


def _refused(field: str, why: str) -> InputInvalid:
    return InputInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])


class PaymentApi(APIView):
    """One payment."""

    required_permission = VIEW

    @extend_schema(
        operation_id="payment_get",
        summary="Look at a payment and its story",
        tags=TAGS,
        responses={200: PaymentDetailOutput, **refusals(s404=_GONE)},
        examples=[
            OpenApiExample(
                "It was paid",
                {**EXAMPLE, "story": STORY_EXAMPLE, "questions": []},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, payment_id: UUID) -> Response:
        row = payment_get(payment_id)
        return Response(
            {
                **PaymentOutput(row).data,
                "story": PaymentEventOutput(story_of(row.pk), many=True).data,
                "questions": PaymentQuestionOutput(questions_of(row.pk), many=True).data,
            }
        )


class PaymentRecheckApi(APIView):
    """A check with the provider."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="payment_recheck",
        summary="Ask the provider about a payment now",
        description="A job asks, and acts on the answer: paid completes it, expired fails it. The answer "
        "shows the payment as it stands before; read it again in a moment.",
        tags=TAGS,
        request=None,
        responses={
            202: PaymentOutput,
            **refusals(
                s404=_GONE, s409="`payment_has_no_invoice`: it failed without ever having one"
            ),
        },
        examples=[
            OpenApiExample(
                "It is being asked",
                {
                    **EXAMPLE,
                    "state": "pending",
                    "paid_at": None,
                    "paid_asset": "",
                    "paid_amount": None,
                    "fee_asset": "",
                    "fee_amount": None,
                    "found_by": "",
                    "completed_at": None,
                },
                response_only=True,
                status_codes=["202"],
            )
        ],
    )
    def post(self, request: Request, payment_id: UUID) -> Response:
        row = services.payment_recheck(payment_id, request.user)
        return Response(PaymentOutput(row).data, status=202)
