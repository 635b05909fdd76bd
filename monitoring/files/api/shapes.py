"""Rules, batches and their files as backends see them."""

from typing import Any

from rest_framework import serializers

from jobs.api.fields import ObjectField, StrictSerializer
from monitoring.files.drafts import FIELDS, LEAST_MS, MOST_MS
from monitoring.files.models import CHANGES, FileEvent, WatchedFile
from monitoring.files.selectors.batches import BatchView
from monitoring.files.selectors.rules import CONDITIONS, RuleView

RULE = {
    "id": 1,
    "name": "Imports of the shop",
    "directory": "/srv/drop",
    "patterns": ["*.csv"],
    "is_recursive": False,
    "debounce_ms": 500,
    "changes": ["added", "modified"],
    "takes_existing": False,
    "action": "telegram",
    "options": {"chat": 500100201, "language": "en"},
    "condition": "watched",
    "problem": "",
    "note": "",
    "version": 1,
    "paused_at": None,
    "scanned_at": "2026-11-22T12:00:00Z",
    "created_at": "2026-11-22T11:59:00Z",
    "updated_at": "2026-11-22T11:59:00Z",
    "totals": {"batches": 3, "files": 7, "done": 6, "failed": 1, "skipped": 0, "rejected": 12},
}
_CHANGES = f"{', '.join(CHANGES)}."
NEW_RULE = {name: RULE[name] for name in FIELDS}


class FileRuleTotals(serializers.Serializer[Any]):
    batches = serializers.IntegerField()
    files = serializers.IntegerField(help_text="Changes that were recorded.")
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    rejected = serializers.IntegerField(help_text="Lines within files.")


class FileRule(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    directory = serializers.CharField()
    patterns = serializers.ListField(child=serializers.CharField())
    is_recursive = serializers.BooleanField()
    debounce_ms = serializers.IntegerField()
    changes = serializers.ListField(child=serializers.CharField(), help_text=_CHANGES)
    takes_existing = serializers.BooleanField()
    action = serializers.CharField()
    options = ObjectField()
    condition = serializers.CharField(help_text=f"{', '.join(CONDITIONS)}.")
    problem = serializers.CharField(help_text="Why its directory cannot be watched; or empty.")
    note = serializers.CharField()
    version = serializers.IntegerField(help_text="Grows with each edit.")
    paused_at = serializers.DateTimeField(allow_null=True)
    scanned_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    totals = FileRuleTotals()


class FileRuleInput(StrictSerializer):
    name = serializers.CharField(max_length=100)
    directory = serializers.CharField(max_length=1000, help_text="Within FILE_WATCH_ROOTS.")
    patterns = serializers.ListField(
        child=serializers.CharField(max_length=200), default=["*"], max_length=50
    )
    is_recursive = serializers.BooleanField(default=False)
    debounce_ms = serializers.IntegerField(
        min_value=LEAST_MS,
        max_value=MOST_MS,
        allow_null=True,
        default=None,
        help_text="Null: FILE_DEBOUNCE_MS.",
    )
    changes = serializers.ListField(
        child=serializers.CharField(max_length=10),
        allow_null=True,
        default=None,
        help_text=f"{_CHANGES} Null: all that the action can do something with.",
    )
    takes_existing = serializers.BooleanField(default=False)
    action = serializers.CharField(max_length=40)
    options = ObjectField(default=dict)


class FileRuleChange(FileRuleInput):
    version = serializers.IntegerField(
        required=False, help_text="That was edited; another one by now is refused (409)."
    )


class FileMatch(serializers.Serializer[Any]):
    path = serializers.CharField()
    size = serializers.IntegerField()
    modified_at = serializers.DateTimeField(allow_null=True)
    standing = serializers.CharField(help_text="new, changed, known.")


class FileRefusal(serializers.Serializer[Any]):
    path = serializers.CharField()
    reason = serializers.CharField()


class FileMatches(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="All that match, as far as was looked.")
    size = serializers.IntegerField(help_text="Bytes of all of them.")
    looked = serializers.IntegerField()
    is_cut = serializers.BooleanField(help_text="It took too long; there may be more.")
    problem = serializers.CharField(help_text="Why this process cannot look; or empty.")
    matches = FileMatch(many=True, help_text="Those written last, 100 at most.")
    refused = FileRefusal(many=True)


class FileBatchShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    rule_id = serializers.IntegerField()
    rule_name = serializers.CharField()
    state = serializers.CharField(help_text="waiting, running, finished.")
    total = serializers.IntegerField(help_text="pending + done + failed + skipped, always.")
    pending = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    added = serializers.IntegerField()
    modified = serializers.IntegerField()
    moved = serializers.IntegerField()
    deleted = serializers.IntegerField()
    accepted = serializers.IntegerField(help_text="Lines that were taken.")
    rejected = serializers.IntegerField(help_text="Lines that were not.")
    job_id = serializers.UUIDField(allow_null=True)
    opened_at = serializers.DateTimeField(help_text="The first sign of a change.")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class FileBatches(serializers.Serializer[Any]):
    items = FileBatchShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class FileRules(serializers.Serializer[Any]):
    items = FileRule(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class FileReject(serializers.Serializer[Any]):
    line = serializers.IntegerField()
    text = serializers.CharField()
    why = serializers.CharField()


class FileEventShape(serializers.ModelSerializer[FileEvent]):
    change = serializers.CharField(help_text="added, modified, moved, deleted.")
    outcome = serializers.CharField(help_text="pending, done, failed, skipped.")
    rejects = FileReject(many=True, help_text="The first 20; `report` has all of them.")

    class Meta:
        model = FileEvent
        fields = (
            "id", "file_id", "change", "path", "old_path", "size", "modified_at", "sha256", "outcome",
            "reason", "attempts", "accepted", "rejected", "rejects", "report", "created_at",
            "finished_at",
        )  # fmt: skip


class FileEvents(serializers.Serializer[Any]):
    items = FileEventShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class WatchedFileShape(serializers.ModelSerializer[WatchedFile]):
    state = serializers.CharField(help_text="present, unreadable, refused, deleted, left_out.")

    class Meta:
        model = WatchedFile
        fields = (
            "id", "rule_id", "path", "state", "size", "sha256", "problem", "moved_to",
            "first_seen_at", "changed_at", "checked_at",
        )  # fmt: skip


class WatchedFiles(serializers.Serializer[Any]):
    items = WatchedFileShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class FileWatcher(serializers.Serializer[Any]):
    id = serializers.CharField()
    condition = serializers.CharField(help_text="leads, stands by, silent.")
    rules = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    beat_at = serializers.DateTimeField()


class FileWatchers(serializers.Serializer[Any]):
    watchers = FileWatcher(many=True)
    silence = serializers.CharField(
        allow_null=True, help_text="Why nobody watches; null: all is well."
    )


class FileRetried(serializers.Serializer[Any]):
    files = serializers.IntegerField(help_text="That are tried again.")


_RULE = tuple(name for name in FileRule().get_fields() if name not in {"condition", "totals"})
_TOTALS = tuple(FileRuleTotals().get_fields())
_BATCH = tuple(
    name for name in FileBatchShape().get_fields() if name not in {"rule_name", "pending"}
)


def rule_body(view: RuleView) -> dict[str, Any]:
    """What FileRule says."""
    plain = {name: getattr(view.rule, name) for name in _RULE}
    totals = {name: getattr(view.rule, name) for name in _TOTALS}
    return {**plain, "condition": view.condition, "totals": totals}


def batch_body(view: BatchView) -> dict[str, Any]:
    """What FileBatchShape says."""
    plain = {name: getattr(view.batch, name) for name in _BATCH}
    return {**plain, "rule_name": view.batch.rule.name, "pending": view.pending}
