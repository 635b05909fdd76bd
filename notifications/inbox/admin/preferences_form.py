"""How a person wishes to be told, as a form."""

from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms

from lib import durations
from notifications.inbox.models import Recipient
from notifications.inbox.preferences import FALLBACK_MOST_S, SOURCE_LIMIT, SOURCES_MOST

LANGUAGES = (("", "not known"), ("en", "English"), ("ru", "Russian"))
FALLBACK_MOST = timedelta(seconds=FALLBACK_MOST_S)


@cache
def zones() -> tuple[str, ...]:
    """The names of time zones, those of places first."""
    names = available_timezones()
    return ("UTC", *sorted(name for name in names if "/" in name and not name.startswith("Etc/")))


class SpanField(forms.CharField):
    """A span such as 5m, in seconds; None if left empty."""

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        try:
            span = durations.parse(text)
        except durations.DurationInvalid:
            raise forms.ValidationError("Write a span such as 30s, 5m or 1h.") from None
        if not timedelta(seconds=1) <= span <= FALLBACK_MOST:
            raise forms.ValidationError("Write a span from 1s to 7d.")
        return round(span.total_seconds())


class SourcesField(forms.CharField):
    """Names of sources, one on each line; as a list without repeats."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).replace(",", "\n")
        names = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
        if any(len(name) > SOURCE_LIMIT for name in names):
            raise forms.ValidationError(
                f"The name of a source has at most {SOURCE_LIMIT} characters."
            )
        if len(names) > SOURCES_MOST:
            raise forms.ValidationError(f"At most {SOURCES_MOST} sources can be muted.")
        return names


class PreferencesForm(forms.Form):
    """The preferences of one person."""

    muted_sources = SourcesField(
        label="Muted sources, one on each line",
        required=False,
        max_length=12_000,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false", "placeholder": "marketing"}),
    )
    quiet_from = forms.TimeField(
        label="Quiet from", required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )
    quiet_to = forms.TimeField(
        label="Quiet to", required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=64,
        widget=forms.TextInput({"list": "zones", "autocomplete": "off", "spellcheck": "false"}),
    )
    fallback_after_s = SpanField(
        label="Telegram if unread for",
        required=False,
        max_length=20,
        widget=forms.TextInput({"placeholder": "never; 5m", "autocomplete": "off"}),
    )
    telegram_id = forms.IntegerField(
        label="Telegram id",
        required=False,
        min_value=-(2**63),
        max_value=2**63 - 1,
        error_messages={"invalid": "A Telegram id is a number, such as 500100201."},
        widget=forms.TextInput({"placeholder": "500100201", "autocomplete": "off"}),
    )
    language = forms.ChoiceField(label="Language", required=False, choices=LANGUAGES)
    retention_days = forms.IntegerField(label="Kept for days (1 to 15)", min_value=1, max_value=15)

    @property
    def zones(self) -> tuple[str, ...]:
        """The time zones to choose from."""
        return zones()

    def clean_time_zone(self) -> str:
        """A zone that the clock of the server knows."""
        name: str = self.cleaned_data["time_zone"].strip()
        if name not in available_timezones():
            raise forms.ValidationError("There is no such zone; write Europe/Moscow or UTC.")
        return name

    def clean_telegram_id(self) -> int | None:
        """A number that Telegram could have given."""
        number: int | None = self.cleaned_data["telegram_id"]
        if number == 0:
            raise forms.ValidationError("A Telegram id is a number, such as 500100201.")
        return number

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        start, end = given.get("quiet_from"), given.get("quiet_to")
        if self.errors.keys() & {"quiet_from", "quiet_to"}:
            return given
        if (start is None) != (end is None):
            missing = "quiet_from" if start is None else "quiet_to"
            self.add_error(missing, "Quiet hours have a beginning and an end.")
        elif start is not None and start == end:
            self.add_error("quiet_to", "Quiet hours must end at another time than they begin.")
        if given.get("fallback_after_s") and "telegram_id" in given and not given["telegram_id"]:
            self.add_error("telegram_id", "Telegram needs the id of the person there.")
        return given


def preferences_initial(row: Recipient) -> dict[str, Any]:
    """What the form holds at first."""
    after = row.fallback_after_s
    return {
        "muted_sources": "\n".join(row.muted_sources),
        "quiet_from": row.quiet_from,
        "quiet_to": row.quiet_to,
        "time_zone": row.time_zone,
        "fallback_after_s": span_written(after) if after else "",
        "telegram_id": row.telegram_id,
        "language": row.language,
        "retention_days": row.retention_days,
    }


def span_written(seconds: int) -> str:
    """Seconds in the largest unit that holds them whole: 300 is "5m"."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
