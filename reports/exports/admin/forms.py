"""The forms of exports: which a list shows, and what is ordered."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings

from jobs.admin.forms import FilterForm, MomentField
from lib import clock
from reports.exports.models import ExportFormat, ExportState
from reports.exports.sources import SOURCES
from reports.exports.sources.source import Entry, Part, Source

_TYPES = [(source.name, source.title) for source in SOURCES.values()]
_OFF = {"autocomplete": "off"}
PREFIX = "f-"  # of the fields that are parts of the source's filter


class ExportFilterForm(FilterForm):
    """Which exports a list shows."""

    type = forms.ChoiceField(required=False, choices=[("", "anything"), *_TYPES])
    state = forms.ChoiceField(required=False, choices=[("", "any state"), *ExportState.choices])
    who = forms.CharField(
        label="Ordered by", required=False, max_length=150, widget=forms.TextInput(_OFF)
    )


class OrderForm(forms.Form):
    """An order of one type: its fields, and one for each part of the filter of that type."""

    since = MomentField(
        label="From (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "2026-11-01, today, 30d", **_OFF}),
    )
    until = MomentField(
        label="Before (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "2026-12-01", **_OFF}),
    )
    format = forms.ChoiceField(choices=ExportFormat.choices, initial=ExportFormat.CSV)
    gzip = forms.BooleanField(label="Compressed (gzip)", required=False)
    bom = forms.BooleanField(label="For Excel (byte order mark)", required=False)
    tell = forms.ChoiceField(label="Send the link to the Telegram chat", required=False)
    columns = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Columns"
    )

    def __init__(self, *args: Any, source: Source, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = source
        _choices(self.fields["columns"], [(each.name, each.name) for each in source.columns])
        self.fields["columns"].initial = source.usual_columns
        chats = [(str(chat), str(chat)) for chat in settings.ADMIN_TELEGRAM_IDS]
        _choices(self.fields["tell"], [("", "nobody"), *chats])
        for name, part in source.parts.items():
            self.fields[PREFIX + name] = _field(part)

    def filter_fields(self) -> list[forms.BoundField]:
        """The fields of the filter."""
        return [self[PREFIX + name] for name in self.source.parts]

    def filters(self) -> dict[str, Any]:
        """What is given of the filter, as the source takes it. Of a valid form."""
        found: dict[str, Any] = {}
        for name, part in self.source.parts.items():
            value = self.cleaned_data[PREFIX + name]
            if value in (None, "", []):
                continue
            if part.entry is Entry.FLAG:
                value = value == "yes"
            elif isinstance(value, datetime):
                value = value.isoformat().replace("+00:00", "Z")
            elif part.entry is Entry.WORDS and isinstance(value, str):
                value = [word.strip() for word in value.split(",") if word.strip()]
            found[name] = value
        return found

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and since >= until:
            self.add_error("until", "This must be after the beginning.")
        if given.get("bom") and given.get("format") != ExportFormat.CSV:
            self.add_error("bom", "This is for CSV only.")
        return given


def _choices(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def _field(part: Part) -> forms.Field:
    label = part.title[:1].upper() + part.title[1:]
    if part.entry is Entry.WORDS and part.choices:
        return forms.MultipleChoiceField(
            label=label,
            required=False,
            choices=part.choices(),
            widget=forms.CheckboxSelectMultiple,
        )
    if part.entry is Entry.CHOICE and part.choices:
        return forms.ChoiceField(
            label=label, required=False, choices=[("", "as usual"), *part.choices()]
        )
    if part.entry is Entry.FLAG:
        choices = [("", "either"), ("yes", "yes"), ("no", "no")]
        return forms.ChoiceField(label=label, required=False, choices=choices)
    if part.entry is Entry.MOMENT:
        widget = forms.TextInput({"placeholder": "2026-11-22, today, 7d", **_OFF})
        return MomentField(label=f"{label} (UTC)", required=False, widget=widget)
    attrs = {"inputmode": "numeric", **_OFF} if part.entry is Entry.NUMBER else _OFF
    return forms.CharField(
        label=label, required=False, max_length=320, widget=forms.TextInput(attrs)
    )


def presets() -> list[tuple[str, str, str]]:
    """(label, since, until) of the ranges that people want most, in UTC and of this moment."""
    now = clock.now().astimezone(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    day: Callable[[datetime], str] = "{:%Y-%m-%d}".format
    return [
        ("Today", day(today), ""),
        ("Yesterday", day(today - timedelta(days=1)), day(today)),
        ("Last 7 days", day(today - timedelta(days=7)), day(today)),
        ("Last 30 days", day(today - timedelta(days=30)), day(today)),
        ("This month", day(month), ""),
        ("Last month", day(before), day(month)),
        ("All", "", ""),
    ]
