"""What operators see and do of breakers. Every act is audited."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import console
from jobs.api.access import VIEW
from jobs.api.docs import refusals
from jobs.selectors.breakers import BreakerView, breakers_list
from lib.errors import NotFound


class BreakerShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    state = serializers.CharField(help_text="closed, open or half_open.")
    failures = serializers.IntegerField(help_text="In a row.")
    opened_at = serializers.DateTimeField(allow_null=True)
    retry_at = serializers.DateTimeField(allow_null=True, help_text="When one call may probe.")
    last_error = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    events = serializers.ListField(child=serializers.DictField(), help_text="state, reason, at.")


class BreakersFound(serializers.Serializer[Any]):
    items = BreakerShape(many=True)


class BreakerActed(serializers.Serializer[Any]):
    name = serializers.CharField()
    state = serializers.CharField()


class BreakersApi(APIView):
    """All breakers."""

    required_permission = VIEW

    @extend_schema(
        operation_id="ops_breakers",
        summary="List breakers",
        description="Those that code names and nothing has tripped yet, too.",
        tags=["operations"],
        responses={200: BreakersFound},
    )
    def get(self, request: Request) -> Response:
        return Response({"items": [_breaker(view) for view in breakers_list()]})


class BreakerActApi(APIView):
    """Open or close a breaker."""

    required_permission = "jobs.operate_breaker"
    act = ""  # comes from the address

    @extend_schema(
        tags=["operations"],
        request=None,
        responses={200: BreakerActed, **refusals(s404="`not_found`")},
    )
    def post(self, request: Request, name: str) -> Response:
        if name not in {view.breaker.name for view in breakers_list()}:
            raise NotFound(f"there is no breaker {name!r}")
        console.breaker_set(name=name, is_open=self.act == "open", by=request.user)
        return Response({"name": name, "state": "open" if self.act == "open" else "closed"})


def _breaker(view: BreakerView) -> dict[str, Any]:
    row = view.breaker
    return {
        "name": row.name,
        "state": row.state,
        "failures": row.failures,
        "opened_at": row.opened_at,
        "retry_at": row.retry_at,
        "last_error": row.last_error,
        "kinds": view.kinds,
        "events": [
            {"state": event.state, "reason": event.reason, "at": event.at} for event in view.events
        ],
    }
