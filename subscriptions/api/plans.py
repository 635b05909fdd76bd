"""Plans over REST: what is sold for how much, and orders of those who are no subscribers yet."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from notifications.conversations.api.answers import answered
from subscriptions.activation.orders import order_new
from subscriptions.activation.plans import plan_find, plans_all, plans_sold
from subscriptions.api.shapes import (
    ORDER_EXAMPLE,
    PLAN_EXAMPLE,
    NewOrderInput,
    OrderShape,
    SubscriptionPlan,
)
from subscriptions.api.subscribers import KEY, ORDER, ORDER_REFUSED, life_of, order_shown

TAGS = ["plans"]
VIEW = "subscriptions.view_plan"


class PlansFound(serializers.Serializer[Any]):
    items = SubscriptionPlan(many=True)


class PlansApi(APIView):
    """All plans."""

    required_permission = VIEW

    @extend_schema(
        operation_id="plans_list",
        summary="List plans with their current prices",
        tags=TAGS,
        parameters=[
            OpenApiParameter("all", bool, description="Also those that are not sold any more.")
        ],
        responses={200: PlansFound},
        examples=[OpenApiExample("One", {"items": [PLAN_EXAMPLE]}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        is_all = request.query_params.get("all", "").lower() in {"1", "true"}
        found = plans_all() if is_all else plans_sold()
        return Response({"items": SubscriptionPlan(found, many=True).data})


class PlanApi(APIView):
    """One plan."""

    required_permission = VIEW

    @extend_schema(
        operation_id="plan_get",
        summary="Look at a plan",
        tags=TAGS,
        responses={200: SubscriptionPlan, **refusals(s404="`plan_unknown`")},
        examples=[OpenApiExample("One", PLAN_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, code: str) -> Response:
        return Response(SubscriptionPlan(plan_find(code)).data)


class PlanOrdersApi(APIView):
    """Orders of new customers."""

    required_permission = ORDER

    @extend_schema(
        operation_id="plan_order",
        summary="Let somebody new order a plan",
        description="Once it is paid, a user of the panel is made and the payer is told.",
        tags=TAGS,
        request=NewOrderInput,
        parameters=[KEY],
        responses={
            201: OrderShape,
            **refusals(
                s404="`plan_unknown`", s409=ORDER_REFUSED, s422="`invalid`, `invalid_order`"
            ),
        },
        examples=[
            OpenApiExample(
                "By a chat", {"telegram_id": 500000001, "language": "ru"}, request_only=True
            ),
            OpenApiExample(
                "Ordered",
                {**ORDER_EXAMPLE, "subscriber_id": None},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request, code: str) -> Response:
        data = NewOrderInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data

        def act() -> tuple[int, Any]:
            payment = order_new(
                plan_find(code),
                given.get("currency", ""),
                telegram_id=given.get("telegram_id"),
                language=given.get("language", ""),
                expires_in=life_of(given),
                by=request.user,
            )
            return 201, order_shown(payment)

        return answered(request, f"plans.order:{code}", act)
