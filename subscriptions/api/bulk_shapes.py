"""The shapes of bulk operations over REST."""

from typing import Any

from rest_framework import serializers

from jobs.api.fields import StrictSerializer
from subscriptions.bulk.agreeing import CONFIRM_ABOVE, MOVED_LEAST
from subscriptions.models import BulkItem, BulkKind, BulkOperation, ItemState

EXAMPLE_ID = "01934f2b-6c4e-7a10-8000-000000000001"
KINDS = [kind.value for kind in BulkKind if kind is not BulkKind.IMPORT]


class SelectionInput(StrictSerializer):
    """Exactly one of them."""

    subscriber_ids = serializers.ListField(child=serializers.IntegerField(), required=False)
    panel_ids = serializers.ListField(child=serializers.IntegerField(), required=False)
    user_uuids = serializers.ListField(child=serializers.CharField(), required=False)
    usernames = serializers.ListField(child=serializers.CharField(), required=False)
    filter = serializers.DictField(required=False)


class BulkPreviewInput(SelectionInput):
    operation = serializers.ChoiceField(choices=KINDS)
    params = serializers.DictField(required=False, help_text='`{"days": 30}` for extend.')


CONFIRM_HELP = (
    "How many would be changed (`would_change` of the preview). Must be said to disable more than "
    f"{CONFIRM_ABOVE[BulkKind.DISABLE]} or delete more than {CONFIRM_ABOVE[BulkKind.DELETE]}; if it is "
    "said, nothing begins where the count is another by more than a fiftieth (and more than "
    f"{MOVED_LEAST})."
)


class BulkStartInput(BulkPreviewInput):
    confirm = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, help_text=CONFIRM_HELP
    )
    tell_telegram_id = serializers.IntegerField(
        required=False, allow_null=True, help_text="The chat that gets the summary."
    )


class ChangeOutput(serializers.Serializer[Any]):
    subscriber_id = serializers.IntegerField()
    username = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class BulkPreviewOutput(serializers.Serializer[Any]):
    title = serializers.CharField()
    total = serializers.IntegerField()
    would_change = serializers.IntegerField()
    left_alone = serializers.DictField(child=serializers.IntegerField())
    duplicates = serializers.IntegerField()
    sample = ChangeOutput(many=True)


class BulkOutput(serializers.ModelSerializer[BulkOperation]):
    operation = serializers.CharField(source="kind")
    pending = serializers.SerializerMethodField(help_text="How many have no fate yet.")
    pause_reason = serializers.CharField(help_text="Empty if a person has paused it.")
    progress_url = serializers.SerializerMethodField()

    class Meta:
        model = BulkOperation
        fields = (
            "id", "operation", "params", "selection", "source", "state", "total", "pending", "done",
            "failed", "skipped", "parent_id", "is_undo", "created_by", "created_at", "started_at",
            "finished_at", "pause_reason", "progress_url",
        )  # fmt: skip

    def get_pending(self, row: BulkOperation) -> int:
        return row.total - row.done - row.failed - row.skipped

    def get_progress_url(self, row: BulkOperation) -> str:
        return f"/progress/{row.pk}"


class BulkItemOutput(serializers.ModelSerializer[BulkItem]):
    subscriber_id = serializers.IntegerField(allow_null=True)

    class Meta:
        model = BulkItem
        fields = ("id", "subscriber_id", "given", "state", "reason", "detail", "at")


ITEM_STATES = ItemState.values

EXAMPLE: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "operation": "extend",
    "params": {"days": 30},
    "selection": {"filter": {"plan": ["month"]}, "text": "plan month"},
    "source": "api",
    "state": "running",
    "total": 1250,
    "pending": 700,
    "done": 547,
    "failed": 2,
    "skipped": 1,
    "parent_id": None,
    "is_undo": False,
    "created_by": "olga",
    "created_at": "2026-11-22T12:00:00Z",
    "started_at": "2026-11-22T12:00:00.1Z",
    "finished_at": None,
    "pause_reason": "",
    "progress_url": f"/progress/{EXAMPLE_ID}",
}
PREVIEW_EXAMPLE: dict[str, Any] = {
    "title": "Extend by 30 days",
    "total": 1250,
    "would_change": 1249,
    "left_alone": {"missing": 1},
    "duplicates": 0,
    "sample": [
        {
            "subscriber_id": 7,
            "username": "ivan_p",
            "before": "until 2026-11-23 12:00 UTC",
            "after": "until 2026-12-23 12:00 UTC",
        }
    ],
}
