"""The shapes of exports over REST."""

from typing import Any

from rest_framework import serializers

from jobs.api.fields import StrictSerializer
from reports.exports.links import link_of
from reports.exports.models import Export, ExportFormat
from reports.exports.sources import SOURCES

EXAMPLE_ID = "01934f2b-6c4e-7a10-8000-000000000001"


class ExportInput(StrictSerializer):
    type = serializers.ChoiceField(choices=[(name, name) for name in SOURCES])
    format = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in ExportFormat], default=ExportFormat.CSV.value
    )
    since = serializers.DateTimeField(
        required=False, allow_null=True, help_text="With a time zone. Included."
    )
    until = serializers.DateTimeField(
        required=False, allow_null=True, help_text="With a time zone. Not included."
    )
    filters = serializers.DictField(
        required=False, help_text="As GET /api/v1/exports/types says of the type."
    )
    columns = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        max_length=100,
        help_text="Which, in this order; default: the usual ones of the type.",
    )
    gzip = serializers.BooleanField(default=False)
    bom = serializers.BooleanField(
        default=False, help_text="A byte order mark, for Excel. CSV only."
    )
    tell_telegram_id = serializers.IntegerField(
        required=False, allow_null=True, help_text="One of ADMIN_TELEGRAM_IDS; gets the link."
    )


class ExportEstimateInput(StrictSerializer):
    type = serializers.ChoiceField(choices=[(name, name) for name in SOURCES])
    since = serializers.DateTimeField(required=False, allow_null=True)
    until = serializers.DateTimeField(required=False, allow_null=True)
    filters = serializers.DictField(required=False)


class ExportEstimateOutput(serializers.Serializer[Any]):
    rows = serializers.IntegerField(help_text="What the planner of the database believes.")


class ExportOutput(serializers.ModelSerializer[Export]):
    gzip = serializers.BooleanField(source="is_gzipped")
    bom = serializers.BooleanField(source="has_bom")
    requested_by = serializers.CharField(source="requested_name")
    rows_expected = serializers.IntegerField(
        allow_null=True, help_text="Reckoned while it is written."
    )
    link = serializers.SerializerMethodField(
        help_text="A page with the file, for whoever holds it, until expires_at. Empty without a file."
    )
    file_link = serializers.SerializerMethodField(help_text="Likewise, of the file itself.")
    progress_url = serializers.SerializerMethodField()

    class Meta:
        model = Export
        fields = (
            "id", "type", "format", "gzip", "bom", "since", "until", "filters", "columns", "state",
            "requested_by", "rows", "rows_expected", "bytes", "sha256", "error", "downloads",
            "downloaded_at", "created_at", "started_at", "finished_at", "expires_at", "link",
            "file_link", "progress_url",
        )  # fmt: skip

    def get_link(self, row: Export) -> str:
        return link_of(row) if self._may_have(row) else ""

    def get_file_link(self, row: Export) -> str:
        return link_of(row, to_file=True) if self._may_have(row) else ""

    def get_progress_url(self, row: Export) -> str:
        return f"/progress/{row.pk}"

    def _may_have(self, row: Export) -> bool:
        """A link is for those only who could have the file themselves."""
        allowed: set[str] = self.context.get("types", set())
        return row.type in allowed


class ColumnOutput(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="The head of the column, the key in JSON.")
    kind = serializers.CharField(help_text="text, id, number, money, moment, flag, list or json.")
    help = serializers.CharField()
    is_usual = serializers.BooleanField(help_text="There if columns are not chosen.")


class FilterOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    entry = serializers.CharField(help_text="text, number, flag, moment, choice or words (a list).")
    choices = serializers.ListField(child=serializers.CharField())


class TypeOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    permission = serializers.CharField(help_text="What it takes, besides exports.add_export.")
    span = serializers.CharField(help_text="What since and until are about.")
    columns = ColumnOutput(many=True)
    filters = FilterOutput(many=True)


class TypesOutput(serializers.Serializer[Any]):
    items = TypeOutput(many=True)


EXAMPLE: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "type": "payments",
    "format": "csv",
    "gzip": True,
    "bom": False,
    "since": "2026-11-01T00:00:00Z",
    "until": "2026-12-01T00:00:00Z",
    "filters": {"state": ["completed"]},
    "columns": ["id", "ordered_at", "amount", "currency"],
    "state": "done",
    "requested_by": "olga",
    "rows": 1204331,
    "rows_expected": 1204331,
    "bytes": 48204113,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "error": "",
    "downloads": 1,
    "downloaded_at": "2026-12-01T08:31:00Z",
    "created_at": "2026-12-01T08:30:00Z",
    "started_at": "2026-12-01T08:30:00.1Z",
    "finished_at": "2026-12-01T08:30:21Z",
    "expires_at": "2026-12-02T08:30:21Z",
    "link": "https://example.com/exports/signed",
    "file_link": "https://example.com/exports/signed/file",
    "progress_url": f"/progress/{EXAMPLE_ID}",
}
