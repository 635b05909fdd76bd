"""The form of a rule: its threshold in the unit of the page, its cooldown as a span."""

from datetime import timedelta
from typing import Any

from django import forms

from lib import durations
from monitoring.checks.rules.rule import Rule, Unit

_LABELS = {
    Unit.COUNT: "Threshold",
    Unit.PERCENT: "Threshold in percent",
    Unit.SECONDS: "Threshold, such as 5m or 300",
    Unit.DAYS: "Threshold in days",
}


class SpanField(forms.CharField):
    """A span such as 15m; empty: none was given."""

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        try:
            return durations.parse(text)
        except durations.DurationInvalid as exc:
            raise forms.ValidationError(f"{exc}.") from None


class RuleForm(forms.Form):
    """Empty fields mean: as the settings say."""

    cooldown = SpanField(label="Cooldown, such as 15m", required=False, max_length=20)

    def __init__(self, rule: Rule, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label = _LABELS[rule.unit]
        self.fields["threshold"] = (
            SpanField(label=label, required=False, max_length=20)
            if rule.unit is Unit.SECONDS
            else forms.FloatField(label=label, required=False, min_value=0)
        )

    def changes(self) -> dict[str, Any]:
        """What rule_change takes."""
        threshold = self.cleaned_data["threshold"]
        if isinstance(threshold, timedelta):
            threshold = threshold.total_seconds()
        return {"threshold": threshold, "cooldown": self.cleaned_data["cooldown"]}

    def first_error(self) -> str:
        """What is wrong, in a sentence."""
        name, found = next(iter(self.errors.items()))
        return f"{self.fields[name].label}: {found[0]}"
