"""The forms of the console: each says beside the field what is wrong."""

import json
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.http import urlencode

from jobs import crons, errors
from jobs.bulk import PUT_AWAY, RETRYING, JobFilter
from jobs.models import Queue, State
from jobs.registry import JobKind, kinds
from jobs.selectors.audit import AuditFilter
from jobs.specs import args_dump
from lib import clock, durations

STATES = (
    (State.AVAILABLE, "available: due now"),
    (State.SCHEDULED, "scheduled: later"),
    (RETRYING, "retrying: failed before"),
    (State.RUNNING, "running"),
    (State.DEAD, "dead: waits for a person"),
    (State.COMPLETED, "completed"),
    (State.CANCELLED, "cancelled"),
    (PUT_AWAY, "put away: was dead"),
)


EARLIEST_YEAR, LATEST_YEAR = 1900, 9000


class MomentField(forms.CharField):
    """A moment in UTC: a date, a date with a time, "today", or a span that means so long ago."""

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        try:
            moment = _moment(text)
        except (ValueError, OverflowError):
            moment = None
        # At the ends of the calendar no span can be added or taken away.
        if moment is None or not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            raise forms.ValidationError(
                "Write 2026-11-22, 2026-11-22 14:00 (UTC), today, or a span such as 2h."
            )
        return moment


def _moment(text: str) -> datetime:
    """Raises ValueError, OverflowError."""
    now = clock.now()
    if text == "today":
        return now.replace(hour=0, minute=0, second=0, microsecond=0)
    if (day := parse_date(text)) is not None:
        return datetime.combine(day, time(), UTC)
    if (moment := parse_datetime(text)) is not None:
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return now - durations.parse(text)


class JsonObjectField(forms.CharField):
    """A JSON object, as a dict; None if left empty."""

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        try:
            found = json.loads(text)
        except ValueError as exc:
            raise forms.ValidationError(f"This is not JSON: {exc}.") from None
        if not isinstance(found, dict):
            raise forms.ValidationError('This must be a JSON object, such as {"chat_id": 7}.')
        return found


def _text(label: str, placeholder: str = "", **attrs: str) -> forms.CharField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off", **attrs})
    return forms.CharField(label=label, required=False, max_length=200, widget=widget)


class FilterForm(forms.Form):
    """A form whose fields are the query of an address."""

    def given(self) -> dict[str, str]:
        """What was filled in, as it was written."""
        values = {name: str(self.data.get(name, "")).strip() for name in self.fields}
        return {name: value for name, value in values.items() if value}

    def query(self, **changes: str) -> str:
        """The query of an address with the same filter; an empty change takes a field out."""
        values = {**self.given(), **changes}
        return urlencode({name: value for name, value in values.items() if value})

    def chips(self) -> list[dict[str, str]]:
        """Each filled field with the query that leaves it out."""
        return [
            {
                "label": str(self.fields[name].label),
                "value": value,
                "without": self.query(**{name: ""}),
            }
            for name, value in self.given().items()
        ]


class JobFilterForm(FilterForm):
    """Which jobs a list shows."""

    kind = _text("Kind", "telegram.deliver", list="kinds")
    state = forms.ChoiceField(label="State", required=False, choices=[("", "any state"), *STATES])
    queue = forms.ChoiceField(label="Queue", required=False)
    error = _text("Error contains", "chat not found")
    key = _text("Key", "chat:7")
    args = JsonObjectField(
        label="Args contain",
        required=False,
        max_length=2000,
        widget=forms.TextInput({"placeholder": '{"chat_id": 7}', "autocomplete": "off"}),
    )
    worker = _text("Worker")
    correlation_id = _text("Correlation id")
    created_from = MomentField(
        label="Made since (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "today, 2h, 2026-11-22 14:00"}),
    )
    created_to = MomentField(
        label="Made before (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "2026-11-22 15:00"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Queue.objects.order_by("is_external", "name").values_list("name", flat=True)
        queue = self.fields["queue"]
        assert isinstance(queue, forms.ChoiceField)
        queue.choices = [("", "any queue"), *((name, name) for name in names)]

    @property
    def known_kinds(self) -> list[str]:
        """The declared kinds, to choose from."""
        return [kind.name for kind in kinds()]

    def where(self) -> JobFilter:
        """The filter of a valid form."""
        return JobFilter(**{name: self.cleaned_data[name] for name in self.fields})


class AuditFilterForm(FilterForm):
    """Which entries of the audit log are shown."""

    who = _text("Who", "alice")
    action = forms.ChoiceField(label="Did what", required=False)
    object_type = _text("To what kind of thing", "job, queue, schedule")
    object_id = _text("To which one")
    since = MomentField(
        label="Since (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "today, 2h, 2026-11-22"}),
    )
    until = MomentField(
        label="Before (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "2026-11-22 15:00"}),
    )

    def __init__(self, *args: Any, actions: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        action = self.fields["action"]
        assert isinstance(action, forms.ChoiceField)
        chosen = str(self.data.get("action", ""))
        known = sorted({*actions, *([chosen] if chosen else [])})
        action.choices = [("", "anything"), *((name, name) for name in known)]

    def where(self) -> AuditFilter:
        """The filter of a valid form."""
        return AuditFilter(**{name: self.cleaned_data[name] for name in self.fields})


class ArgsForm(forms.Form):
    """The args of a replay, checked against the signature of the kind."""

    args = JsonObjectField(
        label="Args (JSON)",
        widget=forms.Textarea(
            {"rows": 14, "spellcheck": "false", "data-json": "", "autofocus": True}
        ),
    )

    def __init__(self, *args: Any, kind: JobKind[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind

    def clean_args(self) -> dict[str, Any]:
        """The args, if the kind takes them."""
        given: dict[str, Any] = self.cleaned_data["args"]
        try:
            self.kind.check(given)
            args_dump(given)
        except (errors.ArgsInvalid, errors.ArgsTooLarge) as exc:
            raise forms.ValidationError(f"{exc.message}.") from None
        return given


class ScheduleForm(forms.Form):
    """When a schedule runs: an interval or a cron expression."""

    every = forms.CharField(
        label="Every",
        required=False,
        max_length=40,
        widget=forms.TextInput({"placeholder": "30s, 5m, 2h, 1d", "autocomplete": "off"}),
    )
    cron = forms.CharField(
        label="or cron",
        required=False,
        max_length=100,
        widget=forms.TextInput(
            {"placeholder": "5 0 * * *", "autocomplete": "off", "class": "mono"}
        ),
    )
    timezone = forms.CharField(label="Time zone of the cron", initial="UTC", max_length=60)

    def clean_every(self) -> float | None:
        """The interval in seconds."""
        text = self.cleaned_data["every"].strip()
        if not text:
            return None
        try:
            seconds = durations.parse(text).total_seconds()
        except (durations.DurationInvalid, OverflowError) as exc:
            raise forms.ValidationError(f"{exc}.") from None
        if not 1 <= seconds <= 366 * 86_400:
            raise forms.ValidationError("An interval has one second at least, a year at most.")
        return seconds

    def clean_cron(self) -> str:
        """The cron expression, if it is one."""
        text: str = " ".join(self.cleaned_data["cron"].split())
        if text:
            try:
                crons.check(text)
            except crons.CronInvalid as exc:
                raise forms.ValidationError(f"{exc}.") from None
        return text

    def clean_timezone(self) -> str:
        """The name of a time zone."""
        name: str = self.cleaned_data["timezone"].strip()
        try:
            crons.zone(name)
        except crons.CronInvalid as exc:
            raise forms.ValidationError(f"{exc}.") from None
        return name

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and bool(given.get("every")) == bool(given.get("cron")):
            self.add_error("cron", "Give an interval or a cron expression, one of the two.")
        return given
