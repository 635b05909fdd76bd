"""What the API takes and gives."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.api.fields import ObjectField, StrictSerializer
from lib.errors import InputInvalid
from notifications.broadcasts.models import Broadcast, Channel, Status
from notifications.broadcasts.selectors import broadcast_audience_text

AUDIENCE_HELP = (
    '`{"type": "all_users"}`; `{"type": "segment", "match": "all", "conditions": [{"field": "language", '
    '"op": "is", "value": ["ru"]}]}`; `{"type": "ids", "ids": [7, 8]}`; '
    '`{"type": "csv", "audience_id": "..."}`.'
)
STATUS_HELP = ", ".join(Status.values)
EXAMPLE: dict[str, Any] = {
    "id": "01a2025e-0c3c-72d3-8e48-9ce144f165aa",
    "title": "Feature launch",
    "title_ru": "",
    "body": "We are live!",
    "body_ru": "",
    "parse_mode": "",
    "data": None,
    "audience": {"type": "all_users"},
    "audience_text": "everybody",
    "channels": ["inbox"],
    "created_by": "ops",
    "scheduled_at": "2025-09-26T12:00:00Z",
    "time_zone": "UTC",
    "canary_percent": 0,
    "canary_max_errors": 5,
    "status": "scheduled",
    "phase": "",
    "paused_reason": "",
    "error": "",
    "total": 0,
    "sent": 0,
    "failed": 0,
    "skipped": 0,
    "unknown": 0,
    "unmatched": 0,
    "recall": None,
    "started_at": None,
    "finished_at": None,
    "cancelled_at": None,
    "cloned_from": None,
    "version": 1,
    "created_at": "2025-09-25T08:12:44Z",
    "updated_at": "2025-09-25T08:12:44Z",
}


class BroadcastInput(StrictSerializer):
    """A broadcast as it is written. The services say what else must hold."""

    title = serializers.CharField(max_length=200)
    title_ru = serializers.CharField(max_length=200, required=False, allow_blank=True)
    body = serializers.CharField(max_length=20_000, trim_whitespace=False)
    body_ru = serializers.CharField(
        max_length=20_000, required=False, allow_blank=True, trim_whitespace=False,
        help_text="Whoever speaks Russian gets this one, if there is one.",
    )  # fmt: skip
    parse_mode = serializers.CharField(
        max_length=12,
        required=False,
        allow_blank=True,
        help_text="Empty, or HTML: Telegram's tags; the inbox shows plain text.",
    )
    audience = ObjectField(help_text=AUDIENCE_HELP)
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=Channel.values), required=False, min_length=1,
        help_text="Default: the inbox.",
    )  # fmt: skip
    data = ObjectField(  # type: ignore[assignment]
        required=False,
        allow_null=True,
        help_text="Shown to clients of the inbox; 3,000 bytes as JSON.",
    )
    created_by = serializers.CharField(max_length=150, required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=64, required=False, help_text="Europe/Berlin")
    canary_percent = serializers.IntegerField(
        min_value=0,
        max_value=50,
        required=False,
        help_text="Try it with so many first; 0: with nobody.",
    )
    canary_max_errors = serializers.IntegerField(
        min_value=0, max_value=100, required=False,
        help_text="Percent of the canary that may fail before it pauses by itself.",
    )  # fmt: skip


class BroadcastCreateInput(BroadcastInput):
    scheduled_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Null or not given: a draft."
    )


class BroadcastEditInput(BroadcastInput):
    version = serializers.IntegerField(
        required=False, help_text="The one that you saw; another one: 409 `broadcast_changed`."
    )


class BroadcastOutput(serializers.ModelSerializer[Broadcast]):
    """A broadcast and how far it is. `total = pending + sent + failed + skipped + unknown`."""

    audience = ObjectField(help_text=AUDIENCE_HELP)
    audience_text = serializers.SerializerMethodField()
    channels = serializers.ListField(child=serializers.ChoiceField(choices=Channel.values))
    status = serializers.CharField(help_text=STATUS_HELP)
    recall = ObjectField(allow_null=True, help_text='`{"mode", "state", "done", "kept"}`')

    class Meta:
        model = Broadcast
        fields = tuple(EXAMPLE)

    @extend_schema_field(serializers.CharField())
    def get_audience_text(self, row: Broadcast) -> str:
        return broadcast_audience_text(row)


class ReasonOutput(serializers.Serializer[Any]):
    channel = serializers.CharField()
    fate = serializers.CharField()
    reason = serializers.CharField(help_text="A stable word.")
    count = serializers.IntegerField()
    text = serializers.CharField(help_text="For people.")


class ProgressOutput(serializers.Serializer[Any]):
    """How far it is, live."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.CharField(help_text=STATUS_HELP)
    phase = serializers.CharField(help_text="expanding, canary, delivering, or empty.")
    total = serializers.IntegerField()
    pending = serializers.IntegerField()
    sent = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    unknown = serializers.IntegerField()
    unmatched = serializers.IntegerField(help_text="Named by the audience, but nobody we know.")
    rate_per_s = serializers.FloatField()
    eta_s = serializers.FloatField(allow_null=True)
    scheduled_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    paused_reason = serializers.CharField()
    error = serializers.CharField()
    channels = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    reasons = ReasonOutput(many=True)
    actions = serializers.ListField(child=serializers.CharField())


class LedgerEntryOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    channel = serializers.CharField()
    recipient_id = serializers.IntegerField()
    user_id = serializers.IntegerField(allow_null=True)
    login = serializers.CharField()
    telegram_id = serializers.IntegerField(allow_null=True)
    language = serializers.CharField()
    fate = serializers.CharField()
    reason = serializers.CharField()
    text = serializers.CharField(help_text="The reason for people.")
    detail = serializers.CharField()
    attempts = serializers.IntegerField()
    message_ref = serializers.CharField(
        allow_null=True, help_text="Telegram's message id, or the notification."
    )
    recall = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)


class LedgerOutput(serializers.Serializer[Any]):
    items = LedgerEntryOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)


def number_read(given: str | None, name: str, *, usual: int, most: int) -> int:
    """A whole number of a query. Raises InputInvalid."""
    raw = given or str(usual)
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18) or not 0 <= int(raw) <= most:
        why = f"must be a whole number up to {most}"
        raise InputInvalid(f"{name} {why}", errors=[{"field": name, "message": why}])
    return int(raw)
