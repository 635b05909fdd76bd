"""The autoscale hint."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.access import LEASE, LEASE_ANY, VIEW, HasAnyPermission
from jobs.api.docs import refusals
from jobs.scale import scale_hints


class Scale(serializers.Serializer[Any]):
    queue = serializers.CharField()
    backlog = serializers.IntegerField(help_text="Due jobs.")
    oldest_age_s = serializers.FloatField()
    arrival_per_s = serializers.FloatField(help_text="Over five minutes.")
    service_s = serializers.FloatField(help_text="Mean of an attempt, over five minutes.")
    busy = serializers.IntegerField(help_text="Jobs that run.")
    workers = serializers.IntegerField()
    slots = serializers.IntegerField(help_text="Jobs that live workers could run at once.")
    open_keys = serializers.IntegerField(
        allow_null=True, help_text="Set if each open job has a part_key: the most that can run."
    )
    target_s = serializers.FloatField(help_text="A backlog should be cleared within this time.")
    desired = serializers.IntegerField(help_text="Slots.")


class Scales(serializers.Serializer[Any]):
    items = Scale(many=True)


class ScaleApi(APIView):
    """How many workers a queue wants."""

    permission_classes = (HasAnyPermission,)
    any_permission = (VIEW, LEASE, LEASE_ANY, "config.view_metrics")

    @extend_schema(
        operation_id="scale",
        summary="How many slots a queue wants",
        description="desired = ceil((arrival_per_s x service_s + backlog x service_s / target_s) / "
        "0.8) within WORKER_MIN and WORKER_MAX; at most open_keys; it falls after two minutes. "
        "Without `queue`: `{items: [...]}` for all queues.",
        tags=["operations"],
        parameters=[OpenApiParameter("queue", str)],
        responses={200: Scale, **refusals(s422="`unknown_queue`")},
        examples=[
            OpenApiExample(
                "A backlog",
                {
                    "queue": "external",
                    "backlog": 120,
                    "oldest_age_s": 14.2,
                    "arrival_per_s": 2.5,
                    "service_s": 3.1,
                    "busy": 4,
                    "workers": 1,
                    "slots": 4,
                    "open_keys": None,
                    "target_s": 30,
                    "desired": 26,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        queue = request.query_params.get("queue")
        hints = [asdict(hint) for hint in scale_hints(queue or None)]
        return Response(hints[0] if queue else {"items": hints})
