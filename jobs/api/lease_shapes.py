"""What is asked for and what is given when jobs are leased."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from jobs.api.fields import AnyJsonField, ObjectField, SecondsField
from jobs.remote import leases

_SHORTEST, _LONGEST = leases.SHORTEST.total_seconds(), leases.LONGEST.total_seconds()


class WorkerInput(serializers.Serializer[Any]):
    """What a worker says about itself."""

    host = serializers.CharField(max_length=120, required=False, allow_blank=True)
    pid = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1
    )
    version = serializers.CharField(max_length=40, required=False, allow_blank=True)
    labels = ObjectField(required=False)
    slots = serializers.IntegerField(required=False, min_value=0, max_value=10_000)
    rss_mb = serializers.FloatField(required=False, min_value=0, max_value=1e9)


class LeaseOneInput(serializers.Serializer[Any]):
    worker_id = serializers.CharField(
        max_length=120, help_text="New at each start: host, pid and something random."
    )
    worker = WorkerInput(required=False)
    lease_s = SecondsField(least=_SHORTEST, most=_LONGEST, required=False)


class LeaseInput(LeaseOneInput):
    queues = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, allow_empty=False, max_length=50,
        help_text="Default: all queues for outside workers.",
    )  # fmt: skip
    kinds = serializers.ListField(
        child=serializers.CharField(max_length=80), required=False, allow_empty=False, max_length=200,
        help_text="Default: all kinds.",
    )  # fmt: skip
    max_jobs = serializers.IntegerField(
        min_value=1, max_value=leases.MOST, required=False, default=1
    )
    wait_s = SecondsField(most=25, required=False, default=timedelta(0))


class LeasedJob(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    queue = serializers.CharField()
    priority = serializers.IntegerField()
    payload = AnyJsonField()
    attempt = serializers.IntegerField(help_text="1 at the first try.")
    max_attempts = serializers.IntegerField()
    lease_token = serializers.CharField(help_text="Present it with each later call about this job.")
    fence = serializers.IntegerField(
        help_text="Grows with each lease of the job: pass it to stores that can refuse older ones."
    )
    lease_expires_at = serializers.DateTimeField()
    lease_s = serializers.FloatField()
    timeout_s = serializers.FloatField(help_text="No beat extends the lease beyond this.")
    deadline_at = serializers.DateTimeField(allow_null=True)
    part_key = serializers.CharField(allow_null=True)
    progress = AnyJsonField(allow_null=True, help_text="Of the attempt before.")
    checkpoint = AnyJsonField(allow_null=True, help_text="Of the attempt before.")
    trace = serializers.CharField()


class Leased(serializers.Serializer[Any]):
    jobs = LeasedJob(many=True)
    directive = serializers.CharField(
        help_text="run; quiet: finish what you have; terminate: stop now. No jobs unless run."
    )
    poll_after_s = serializers.FloatField()


LEASED_EXAMPLE = OpenApiExample(
    "One job",
    {
        "jobs": [
            {
                "id": "0193a5c4-7d3e-7000-8000-6c3f1c1f2a10",
                "kind": "external.echo",
                "queue": "external",
                "priority": 2,
                "payload": {"message": "hello"},
                "attempt": 1,
                "max_attempts": 3,
                "lease_token": "AZOlxH0-cACAAGw_HB8qEAAAAAAAAAABAB4vhKYF3u5q8N0nHk1bE2xd",
                "fence": 1,
                "lease_expires_at": "2026-11-22T10:00:30Z",
                "lease_s": 30,
                "timeout_s": 600,
                "deadline_at": None,
                "part_key": "chat:7",
                "progress": None,
                "checkpoint": None,
                "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
            }
        ],
        "directive": "run",
        "poll_after_s": 0,
    },
    response_only=True,
    status_codes=["200"],
)
