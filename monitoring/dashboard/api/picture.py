"""The same by REST, for a browser that cannot keep a WebSocket, and for other programs."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from monitoring.dashboard.frames import everything
from monitoring.dashboard.viewers import PERMISSION


class DashboardOutput(serializers.Serializer[Any]):
    """The data of the frames of `/ws/dashboard`, by their names. docs/dashboard.md says what is in them."""

    snapshot = serializers.DictField(allow_null=True, help_text="null: no picture was taken yet")
    events = serializers.DictField()
    alerts = serializers.DictField()
    tick = serializers.DictField()


_EXAMPLE = {
    "snapshot": {
        "taken_at": "2026-11-22T12:00:30Z",
        "people": {"online": 412, "source": "panel", "total": 9120, "active": 7800},
        "servers": {"counts": {"online": 7, "offline": 1}, "total": 8, "bytes_per_s": 91000000.0},
        "work": {"per_second": 31.5, "due": 12, "oldest_s": 0.4},
        "money": {
            "count": 6,
            "amounts": [{"currency": "USDT", "amount": "30", "count": 6}],
        },
    },
    "events": {
        "items": [
            {
                "id": 71,
                "kind": "payment_completed",
                "title": "Paid: 1 month, 5 USDT",
                "link": "/admin/payments/payment/0192f0c1-0000-7000-8000-000000000001/change/",
                "severity": "info",
                "at": "2026-11-22T12:00:12Z",
            }
        ]
    },
    "alerts": {"open": 0, "critical": 0, "warning": 0, "info": 0, "items": []},
    "tick": {"now": "2026-11-22T12:00:41Z", "trouble": ""},
}


class DashboardApi(APIView):
    """What the live dashboard shows, at this moment."""

    required_permission = PERMISSION

    @extend_schema(
        operation_id="dashboard_get",
        summary="The live dashboard at one moment",
        description="The last picture (one each 30 s; `taken_at` says when), the newest events and the "
        "open alerts. `/ws/dashboard` pushes the same.",
        tags=["monitoring"],
        responses={200: DashboardOutput, **refusals()},
        examples=[OpenApiExample("Picture", value=_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        del request
        return Response(everything())
