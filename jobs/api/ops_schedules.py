"""What operators see and do of schedules. Every act is audited."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import console
from jobs.api.access import VIEW
from jobs.api.docs import refusals
from jobs.selectors.schedules import ScheduleView, schedules_list


class ScheduleShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.CharField()
    when = serializers.CharField(help_text="In plain words.")
    every_s = serializers.FloatField(allow_null=True)
    cron = serializers.CharField()
    timezone = serializers.CharField()
    condition = serializers.CharField(help_text="active, paused, quarantined or over.")
    quarantine_reason = serializers.CharField()
    next_at = serializers.DateTimeField(allow_null=True)
    last_slot_at = serializers.DateTimeField(allow_null=True)
    last_job_id = serializers.UUIDField(allow_null=True)
    last_job_state = serializers.CharField(allow_null=True)


class SchedulesFound(serializers.Serializer[Any]):
    items = ScheduleShape(many=True)


class ScheduleRan(serializers.Serializer[Any]):
    name = serializers.CharField()
    job_id = serializers.UUIDField()


class ScheduleActed(serializers.Serializer[Any]):
    name = serializers.CharField()
    paused = serializers.BooleanField()


class SchedulesApi(APIView):
    """All schedules."""

    required_permission = VIEW

    @extend_schema(
        operation_id="ops_schedules",
        summary="List schedules",
        tags=["operations"],
        responses={200: SchedulesFound},
    )
    def get(self, request: Request) -> Response:
        return Response({"items": [_schedule(view) for view in schedules_list()]})


class ScheduleRunApi(APIView):
    """Run the job of a schedule now."""

    required_permission = "jobs.operate_schedule"

    @extend_schema(
        operation_id="ops_schedule_run",
        summary="Run a schedule now",
        description="Besides its slots. While its last job still waits, that one is answered.",
        tags=["operations"],
        request=None,
        responses={201: ScheduleRan, **refusals(s404="`not_found`")},
    )
    def post(self, request: Request, name: str) -> Response:
        job_id = console.schedule_run_now(name=name, by=request.user)
        return Response({"name": name, "job_id": job_id}, status=201)


class ScheduleActApi(APIView):
    """Pause or resume a schedule."""

    required_permission = "jobs.operate_schedule"
    act = ""  # comes from the address

    @extend_schema(
        tags=["operations"],
        request=None,
        responses={200: ScheduleActed, **refusals(s404="`not_found`")},
    )
    def post(self, request: Request, name: str) -> Response:
        if self.act == "pause":
            console.schedule_pause(name=name, by=request.user)
        else:
            console.schedule_resume(name=name, by=request.user)
        return Response({"name": name, "paused": self.act == "pause"})


def _schedule(view: ScheduleView) -> dict[str, Any]:
    entry = view.entry
    return {
        "name": entry.name,
        "kind": entry.kind,
        "when": view.when,
        "every_s": entry.every_s,
        "cron": entry.cron,
        "timezone": entry.timezone,
        "condition": view.condition,
        "quarantine_reason": entry.quarantine_reason,
        "next_at": view.next_at,
        "last_slot_at": entry.last_slot_at,
        "last_job_id": entry.last_job_id,
        "last_job_state": view.last_job.state if view.last_job else None,
    }
