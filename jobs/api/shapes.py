"""What a job looks like in answers: serializers for the OpenAPI document, dicts for the wire."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from rest_framework import serializers

from jobs.api.fields import AnyJsonField
from jobs.models import JobRecord, State
from jobs.remote.lines import Line
from jobs.selectors.story import Try
from lib import clock

Shape = serializers.Serializer[Any]


class JobLine(serializers.Serializer[Any]):
    """A job in a list."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    queue = serializers.CharField()
    priority = serializers.IntegerField(help_text="0 critical, 1 high, 2 normal, 3 low.")
    state = serializers.CharField(
        help_text="scheduled, available, running, completed, dead or cancelled; a scheduled job "
        "whose time has come is available."
    )
    run_at = serializers.DateTimeField()
    attempt = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    part_key = serializers.CharField(allow_null=True)
    blocked = serializers.BooleanField(help_text="Waits behind another job of its part_key.")
    worker = serializers.CharField(allow_null=True)
    progress = AnyJsonField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    cancel_requested = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    resolution = serializers.CharField(allow_null=True, help_text="How a dead job was put away.")


class JobAttemptShape(serializers.Serializer[Any]):
    """One try of a job."""

    attempt = serializers.IntegerField()
    fence = serializers.IntegerField()
    worker = serializers.CharField(allow_null=True)
    outcome = serializers.CharField(
        help_text="running, completed, retried, snoozed, crashed, dead or cancelled."
    )
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    next_run_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(allow_null=True)


class JobLogLine(serializers.Serializer[Any]):
    """A line that an attempt logged."""

    attempt = serializers.IntegerField()
    fence = serializers.IntegerField()
    at = serializers.DateTimeField()
    level = serializers.CharField()
    message = serializers.CharField()


class JobDetail(JobLine):
    """A job with all that is kept of it."""

    payload = AnyJsonField()
    result = AnyJsonField(allow_null=True, help_text="Kept for RESULT_TTL_SECONDS.")
    result_expired = serializers.BooleanField()
    fence = serializers.IntegerField()
    crash_count = serializers.IntegerField()
    lease_expires_at = serializers.DateTimeField(allow_null=True)
    checkpoint = AnyJsonField(allow_null=True)
    unique_key = serializers.CharField(allow_null=True)
    debounce_key = serializers.CharField(allow_null=True)
    debounced = serializers.IntegerField(help_text="Calls that this job stands for, but the first.")
    deadline_at = serializers.DateTimeField(allow_null=True)
    timeout_s = serializers.FloatField(allow_null=True)
    delays = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    trace = serializers.CharField(allow_null=True)
    batch_id = serializers.UUIDField(allow_null=True)
    parent_id = serializers.UUIDField(allow_null=True)
    replay_of = serializers.UUIDField(allow_null=True)
    attempts = JobAttemptShape(many=True)
    logs = JobLogLine(many=True)


def state_shown(job: Any) -> str:
    """The state as people see it: the clock alone makes a scheduled job available, and no row changes."""
    if job.state in {State.SCHEDULED, State.AVAILABLE}:
        return "scheduled" if job.run_at > clock.now() else "available"
    return str(job.state)


def line_of(job: JobRecord) -> dict[str, Any]:
    """A job in a list; see JobLine."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "queue": job.queue,
        "priority": job.priority,
        "state": state_shown(job),
        "run_at": job.run_at,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "part_key": job.partition_key,
        "blocked": job.blocked,
        "worker": job.worker,
        "progress": job.progress,
        "last_error": job.last_error,
        "cancel_requested": job.cancel_requested_at is not None,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "resolution": job.resolution,
    }


def detail_of(job: JobRecord, tries: list[Try], kept: dict[int, list[Line]]) -> dict[str, Any]:
    """A job with its tries; `kept` are lines of tries that have not ended. See JobDetail."""
    expired = (
        job.finished_at is not None and clock.now() - job.finished_at > settings.JOBS["result_ttl"]
    )
    return {
        **line_of(job),
        "payload": job.args,
        "result": None if expired else job.result,
        "result_expired": expired,
        "fence": job.fence,
        "crash_count": job.crash_count,
        "lease_expires_at": job.lease_until,
        "checkpoint": job.checkpoint,
        "unique_key": job.unique_key,
        "debounce_key": job.debounce_key,
        "debounced": job.debounced,
        "deadline_at": job.deadline_at,
        "timeout_s": job.timeout_s,
        "delays": job.retry_delays,
        "trace": job.correlation_id,
        "batch_id": job.batch_id,
        "parent_id": job.parent_id,
        "replay_of": job.replay_of,
        "attempts": [try_of(each) for each in tries],
        "logs": logs_of(tries, kept),
    }


def try_of(each: Try) -> dict[str, Any]:
    """One try of a job; see JobAttemptShape."""
    return {
        "attempt": each.number,
        "fence": each.fence,
        "worker": each.worker,
        "outcome": each.outcome,
        "started_at": each.started_at,
        "finished_at": each.finished_at,
        "next_run_at": each.next_run_at,
        "error": each.error,
    }


def logs_of(tries: list[Try], kept: dict[int, list[Line]]) -> list[dict[str, Any]]:
    """All lines of all tries, in their order; see JobLogLine."""
    found = []
    for each in tries:
        lines = [Line(line["at"], line["level"], line["message"]) for line in each.logs]
        found += [
            {
                "attempt": each.number,
                "fence": each.fence,
                "at": datetime.fromtimestamp(line.at, UTC),
                "level": line.level,
                "message": line.message,
            }
            for line in lines or kept.get(each.fence, [])
        ]
    return found
