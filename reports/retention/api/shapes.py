"""What retention looks like over REST."""

from typing import Any

from rest_framework import serializers

from reports.retention.models import RunState

EXAMPLE_RUN: dict[str, Any] = {
    "id": "01a20226-4c1e-7b3f-9a52-6f2f0d9c7e10",
    "kind": "reports.clean_webhooks",
    "state": "done",
    "is_dry": False,
    "tables": {
        "incoming_webhook": {
            "rows": 41250,
            "bytes": 58720256,
            "partitions": [],
            "is_estimate": False,
        }
    },
    "rows": 41250,
    "partitions": 0,
    "bytes": 58720256,
    "error": "",
    "requested_by": "",
    "created_at": "2026-11-23T03:00:00Z",
    "started_at": "2026-11-23T03:00:01Z",
    "finished_at": "2026-11-23T03:00:09Z",
}
EXAMPLE_KIND: dict[str, Any] = {
    "kind": "reports.clean_webhooks",
    "title": "Incoming webhooks",
    "what": "What providers and the panel sent and what is dealt with.",
    "never": "What waits for its job, what was given up, and what an open question about money names.",
    "setting": "CLEANUP_WEBHOOK_RETENTION_DAYS",
    "kept": "30 days",
    "holds_rows": 120000,
    "holds_bytes": 171966464,
    "next_at": "2026-11-30T03:00:00Z",
    "last": EXAMPLE_RUN,
    "counted": None,
}


class RetentionRunOutput(serializers.Serializer[Any]):
    """One run, real or dry."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.CharField(help_text=f"One of {', '.join(RunState.values)}.")
    is_dry = serializers.BooleanField(help_text="It only counted.")
    tables = serializers.DictField(
        child=serializers.DictField(),
        help_text="By table: `rows`, `bytes` (estimated), `partitions` (names of those dropped), "
        "`is_estimate`.",
    )
    rows = serializers.IntegerField()
    partitions = serializers.IntegerField()
    bytes = serializers.IntegerField()
    error = serializers.CharField()
    requested_by = serializers.CharField(help_text="Empty: the schedule.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class RetentionKindOutput(serializers.Serializer[Any]):
    """One kind of cleanup as it stands."""

    kind = serializers.CharField(source="policy.kind")
    title = serializers.CharField(source="policy.title")
    what = serializers.CharField(source="policy.what")
    never = serializers.CharField(source="policy.never")
    setting = serializers.CharField(source="policy.setting")
    kept = serializers.CharField()
    holds_rows = serializers.IntegerField(source="holds.rows", help_text="By the statistics.")
    holds_bytes = serializers.IntegerField(source="holds.bytes", help_text="With indexes.")
    next_at = serializers.DateTimeField(allow_null=True)
    last = RetentionRunOutput(allow_null=True)
    counted = RetentionRunOutput(allow_null=True)


class RetentionKinds(serializers.Serializer[Any]):
    items = RetentionKindOutput(many=True)


class RetentionRuns(serializers.Serializer[Any]):
    items = RetentionRunOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
