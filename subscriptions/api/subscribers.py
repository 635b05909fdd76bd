"""Subscribers over REST: the list, one, his story, what is ours to edit, and orders."""

from datetime import timedelta
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from notifications.conversations.api.answers import answered
from notifications.webhooks.api.parameters import MOST, number_read
from payments.models import Payment
from subscriptions.activation.orders import order_for
from subscriptions.activation.plans import plan_find
from subscriptions.api.shapes import (
    EVENT_EXAMPLE,
    ORDER_EXAMPLE,
    SUBSCRIBER_EXAMPLE,
    OrderInput,
    OrderShape,
    SubscriberChange,
    SubscribersFound,
    SubscriberShape,
    SubscriberStory,
)
from subscriptions.filtering import PARTS
from subscriptions.listing import ORDERS, PAGE, story_page, subscriber_get, subscribers_page
from subscriptions.services import subscriber_edit

TAGS = ["subscribers"]
VIEW, CHANGE = "subscriptions.view_subscriber", "subscriptions.change_subscriber"
ORDER = "payments.enqueue_payment"
GONE = "`not_found`"
KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="A repeat gets the first answer."
)
ORDER_REFUSED = "`plan_not_sold`, `price_unknown`, `subscriber_gone` or `idempotency_in_flight`"
_LIMIT = OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}.")
_CURSOR = OpenApiParameter("cursor", str, description="`next_cursor` of the page before.")
# Those of several words may be given several times.
_LISTS = ("status", "plan", "tag", "cut_by")


class SubscribersApi(APIView):
    """All subscribers."""

    required_permission = VIEW

    @extend_schema(
        operation_id="subscribers_list",
        summary="List subscribers",
        description="By filter; who is gone from the panel only with `is_missing=true`. Nothing is "
        "counted.",
        tags=TAGS,
        parameters=[
            *(
                OpenApiParameter(name, str, description=part.title, many=name in _LISTS)
                for name, part in PARTS.items()
            ),
            OpenApiParameter(
                "order",
                str,
                enum=ORDERS,
                description="Default: `ends` if the filter is about ends.",
            ),
            _LIMIT,
            _CURSOR,
        ],
        responses={200: SubscribersFound, **refusals(s422="`invalid_filter` or `invalid`")},
        examples=[
            OpenApiExample(
                "One", {"items": [SUBSCRIBER_EXAMPLE], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        wanted: dict[str, Any] = {
            name: given.getlist(name) if name in _LISTS else given[name]
            for name in given
            if name not in {"order", "limit", "cursor"}
        }
        page = subscribers_page(
            wanted,
            order=given.get("order", ""),
            cursor=given.get("cursor", ""),
            size=number_read(given, "limit", MOST) or PAGE,
        )
        return Response(
            {
                "items": SubscriberShape(page.rows, many=True).data,
                "next_cursor": page.next_cursor,
            }
        )


class SubscriberApi(APIView):
    """One subscriber."""

    required_permission: ClassVar = {"GET": VIEW, "PATCH": CHANGE}

    @extend_schema(
        operation_id="subscriber_get",
        summary="Look at a subscriber",
        description="As the panel said last; `mirrored_at` tells when.",
        tags=TAGS,
        responses={200: SubscriberShape, **refusals(s404=GONE)},
        examples=[OpenApiExample("One", SUBSCRIBER_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, subscriber_id: int) -> Response:
        return Response(SubscriberShape(subscriber_get(subscriber_id)).data)

    @extend_schema(
        operation_id="subscriber_change",
        summary="Change what only we know of a subscriber",
        description="Plan, auto-renewal, language, time zone. What the panel keeps is changed by bulk "
        "operations.",
        tags=TAGS,
        request=SubscriberChange,
        responses={
            200: SubscriberShape,
            **refusals(
                s404="`not_found`, `plan_unknown`", s409="`price_unknown`", s422="`invalid`"
            ),
        },
        examples=[
            OpenApiExample(
                "Auto-renewal on", {"auto_renew": True, "renew_currency": "EUR"}, request_only=True
            ),
            OpenApiExample("Changed", SUBSCRIBER_EXAMPLE, response_only=True),
        ],
    )
    def patch(self, request: Request, subscriber_id: int) -> Response:
        data = SubscriberChange(data=request.data)
        data.is_valid(raise_exception=True)
        fields = dict(data.validated_data)
        if fields.get("plan") is not None:
            fields["plan"] = plan_find(fields["plan"])
        changed = subscriber_edit(subscriber_id=subscriber_id, by=request.user, **fields)
        return Response(SubscriberShape(changed).data)


class SubscriberStoryApi(APIView):
    """What happened to a subscriber."""

    required_permission = VIEW

    @extend_schema(
        operation_id="subscriber_story",
        summary="Read the story of a subscriber",
        description="Payments, what the panel did, sweeps, messages and acts of staff; newest first.",
        tags=TAGS,
        parameters=[_LIMIT, _CURSOR],
        responses={200: SubscriberStory, **refusals(s404=GONE, s422="`invalid`")},
        examples=[
            OpenApiExample(
                "One line", {"items": [EVENT_EXAMPLE], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request, subscriber_id: int) -> Response:
        given = request.query_params
        row = subscriber_get(subscriber_id)
        lines, following = story_page(
            row.pk,
            before=number_read(given, "cursor"),
            size=number_read(given, "limit", MOST) or PAGE,
        )
        found = {"items": lines, "next_cursor": None if following is None else str(following)}
        return Response(SubscriberStory(found).data)


class SubscriberOrdersApi(APIView):
    """Orders of a subscriber."""

    required_permission = ORDER

    @extend_schema(
        operation_id="subscriber_order",
        summary="Let a subscriber order a plan",
        description="At the price of this moment. The invoice is made within seconds; once it is paid, "
        "access follows by itself.",
        tags=TAGS,
        request=OrderInput,
        parameters=[KEY],
        responses={
            201: OrderShape,
            **refusals(
                s404="`not_found`, `plan_unknown`",
                s409=ORDER_REFUSED,
                s422="`invalid`, `invalid_order`",
            ),
        },
        examples=[
            OpenApiExample(
                "A month", {"plan": "standard-1m", "currency": "EUR"}, request_only=True
            ),
            OpenApiExample("Ordered", ORDER_EXAMPLE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, subscriber_id: int) -> Response:
        data = OrderInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data

        def act() -> tuple[int, Any]:
            payment = order_for(
                subscriber_get(subscriber_id),
                plan_find(given["plan"]),
                given.get("currency", ""),
                expires_in=life_of(given),
                by=request.user,
                source="api",
            )
            return 201, order_shown(payment)

        return answered(request, f"subscribers.order:{subscriber_id}", act)


def order_shown(payment: Payment) -> dict[str, Any]:
    """An order as both addresses give it."""
    return dict(OrderShape(payment).data)


def life_of(given: dict[str, Any]) -> timedelta | None:
    """How long the invoice shall be payable."""
    seconds = given.get("expires_in_s")
    return None if seconds is None else timedelta(seconds=seconds)
