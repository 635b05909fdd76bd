"""The forms of the console: each says beside the field what is wrong."""

from datetime import timedelta
from typing import Any

from django import forms

from jobs.admin.forms import FilterForm, MomentField
from lib import clock, durations
from monitoring.alerts.models import Severity
from monitoring.alerts.selectors import ANY, UNTAKEN, AlertFilter, rules_known

_DAY = forms.TextInput({"placeholder": "today, 7d, 2026-11-22"})
STATES = (
    ("", "open"),
    (UNTAKEN, "open, nobody has taken it"),
    ("acknowledged", "acknowledged"),
    ("silenced", "silenced"),
    ("hidden", "hidden behind another"),
    ("resolved", "resolved"),
    (ANY, "all there are"),
)


def _text(label: str, placeholder: str, longest: int = 200) -> forms.CharField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=longest, widget=widget)


class AlertFilterForm(FilterForm):
    """Which alerts a list shows."""

    state = forms.ChoiceField(label="State", required=False, choices=[*STATES, ("open", "open")])
    severity = forms.ChoiceField(
        label="Severity", required=False, choices=[("", "any severity"), *Severity.choices]
    )
    rule = forms.ChoiceField(label="Rule", required=False)
    key = _text("Key", "telegram")
    words = _text("Words", "in title, rule or key", 100)
    assigned = _text("Assigned to", "olga", 150)
    opened_from = MomentField(label="Opened since (UTC)", required=False, widget=_DAY)
    opened_to = MomentField(label="Opened before (UTC)", required=False, widget=_DAY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["rule"]
        assert isinstance(field, forms.ChoiceField)
        chosen = str(self.data.get("rule", ""))[:60]
        names = sorted({*rules_known(), *([chosen] if chosen else [])})
        field.choices = [("", "any rule"), *((name, name) for name in names)]

    def where(self) -> AlertFilter:
        """The filter of a valid form."""
        given = self.cleaned_data
        return AlertFilter(
            state=given["state"],
            severity=given["severity"],
            rule=given["rule"],
            key=given["key"],
            words=given["words"],
            assigned_to=given["assigned"],
            opened_from=given["opened_from"],
            opened_to=given["opened_to"],
        )


class SilencesForm(FilterForm):
    """Which silences a list shows."""

    state = forms.ChoiceField(
        label="Which",
        required=False,
        choices=[
            ("", "not over yet"),
            ("now", "in force"),
            ("coming", "coming"),
            ("over", "over"),
            (ANY, "all there are"),
        ],
    )


class _Ahead(MomentField):
    """A moment to come: a span means so long from now."""

    def clean(self, value: Any) -> Any:
        text = str(value or "").strip()
        try:
            span: timedelta | None = durations.parse(text) if text else None
        except (durations.DurationInvalid, OverflowError):
            span = None
        if span is not None:
            return clock.now() + min(span, timedelta(days=3650))
        return super().clean(value)


class SilenceForm(forms.Form):
    """A window in which nobody is told."""

    rule = forms.CharField(
        label="Rule",
        max_length=60,
        help_text="Such as node_offline; * stands for anything: node_*.",
        widget=forms.TextInput({"autocomplete": "off", "class": "mono", "list": "rules"}),
    )
    key = forms.CharField(
        label="Key",
        max_length=200,
        initial="*",
        help_text="Of what; * for all.",
        widget=forms.TextInput({"autocomplete": "off", "class": "mono"}),
    )
    starts_at = _Ahead(
        label="From (UTC)",
        required=False,
        max_length=40,
        widget=forms.TextInput({"placeholder": "now; 2h; 2026-11-22 22:00"}),
    )
    ends_at = _Ahead(
        label="Until (UTC)",
        max_length=40,
        widget=forms.TextInput({"placeholder": "4h; 2026-11-23 02:00"}),
    )
    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=300,
        widget=forms.TextInput({"placeholder": "move of fra-1 to new hardware"}),
    )


class SilenceForForm(forms.Form):
    """For how long one alert is silent."""

    hours = forms.TypedChoiceField(
        coerce=int,
        choices=[(hours, f"{hours} h") for hours in (1, 4, 8, 24, 72)],
        error_messages={"invalid_choice": "Choose 1, 4, 8, 24 or 72 hours."},
    )
    reason = forms.CharField(required=False, max_length=300)
