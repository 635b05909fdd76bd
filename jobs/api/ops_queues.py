"""What operators see and do of queues. Every act is audited."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import console
from jobs.api.access import VIEW
from jobs.api.docs import refusals
from jobs.api.ops_jobs import ReasonInput
from jobs.selectors.queues import COUNTED, QueueDepth, queues_depth
from lib import clock


class QueueShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    is_external = serializers.BooleanField(help_text="Served by outside workers.")
    paused = serializers.BooleanField()
    paused_at = serializers.DateTimeField(allow_null=True)
    paused_by = serializers.CharField(allow_null=True)
    pause_reason = serializers.CharField()
    depth = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="available, scheduled, running, blocked (behind others of their key), dead.",
    )
    depth_capped = serializers.ListField(
        child=serializers.CharField(), help_text=f"Depths that are more than {COUNTED:,}."
    )
    oldest_age_s = serializers.FloatField(help_text="Of the oldest due job.")


class QueuesFound(serializers.Serializer[Any]):
    items = QueueShape(many=True)


class QueueActed(serializers.Serializer[Any]):
    name = serializers.CharField()
    paused = serializers.BooleanField()


class QueuesApi(APIView):
    """All queues."""

    required_permission = VIEW

    @extend_schema(
        operation_id="ops_queues",
        summary="List queues",
        description="With their depth by state, counted up to a bound, and their oldest due job.",
        tags=["operations"],
        responses={200: QueuesFound},
    )
    def get(self, request: Request) -> Response:
        now = clock.now()
        return Response({"items": [_queue(depth, now) for depth in queues_depth()]})


class QueueActApi(APIView):
    """Pause or resume a queue."""

    required_permission = "jobs.pause_queue"
    act = ""  # comes from the address

    @extend_schema(
        tags=["operations"],
        request=ReasonInput,
        responses={200: QueueActed, **refusals(s422="`unknown_queue`")},
    )
    def post(self, request: Request, name: str) -> Response:
        given = ReasonInput(data=request.data)
        given.is_valid(raise_exception=True)
        if self.act == "pause":
            console.queue_pause(name=name, by=request.user, reason=given.validated_data["reason"])
        else:
            console.queue_resume(name=name, by=request.user)
        return Response({"name": name, "paused": self.act == "pause"})


def _queue(depth: QueueDepth, now: datetime) -> dict[str, Any]:
    depths = {
        name: getattr(depth, name)
        for name in ("available", "scheduled", "running", "blocked", "dead")
    }
    oldest = depth.oldest_due_at
    return {
        "name": depth.name,
        "is_external": depth.is_external,
        "paused": depth.paused_at is not None,
        "paused_at": depth.paused_at,
        "paused_by": depth.paused_by,
        "pause_reason": depth.pause_reason,
        "depth": {name: min(count, COUNTED) for name, count in depths.items()},
        "depth_capped": [name for name, count in depths.items() if count > COUNTED],
        "oldest_age_s": 0 if oldest is None else round((now - oldest).total_seconds(), 3),
    }
