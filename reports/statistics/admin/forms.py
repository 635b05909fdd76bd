"""The forms of the console: each says beside the field what is wrong."""

from typing import Any

from django import forms

from jobs.admin.forms import FilterForm
from reports.statistics.models import LANGUAGES, ReportKind
from reports.statistics.reporting.making import latest_period
from reports.statistics.screens.charts import SPANS
from reports.statistics.screens.listing import ReportFilter

_DAY = forms.DateInput({"type": "date"})


class SpanForm(FilterForm):
    """Which days a page of charts shows."""

    days = forms.ChoiceField(
        label="Days", required=False, choices=[(str(span), f"{span} days") for span in SPANS]
    )
    currency = forms.CharField(label="Currency", required=False, max_length=12)

    def span(self) -> int:
        """How many days; what cannot be is the usual number."""
        given = self.cleaned_data["days"] if self.is_valid() else ""
        return int(given) if given else SPANS[1]

    def chosen(self, currencies: list[str]) -> str:
        """The currency, if there is such a one; else the first."""
        wanted = str(self.data.get("currency", "")).upper()
        return wanted if wanted in currencies else (currencies[0] if currencies else "")


class ReportFilterForm(FilterForm):
    """Which reports a list shows."""

    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[("", "any kind"), *ReportKind.choices]
    )
    told = forms.ChoiceField(
        label="Sent", required=False, choices=[("", "any"), ("yes", "sent"), ("no", "not sent")]
    )
    since = forms.DateField(label="Period since", required=False, widget=_DAY)
    until = forms.DateField(label="Period before", required=False, widget=_DAY)

    def where(self) -> ReportFilter:
        """The filter of a valid form."""
        given = self.cleaned_data
        return ReportFilter(given["kind"], given["told"], given["since"], given["until"])


class MakeForm(forms.Form):
    """Which report is to be made now."""

    kind = forms.ChoiceField(label="Kind", choices=ReportKind.choices)
    period = forms.DateField(
        label="Day, or Monday of the week (empty: the last one)", required=False, widget=_DAY
    )
    is_told = forms.BooleanField(label="Send it to all who get it", required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("kind") and not given.get("period") and "period" not in self.errors:
            given["period"] = latest_period(given["kind"])
        return given


class ChatForm(forms.Form):
    """One chat, and the language that is read there."""

    chat_id = forms.IntegerField(
        label="Telegram id of the chat",
        min_value=-(2**63),
        max_value=2**63 - 1,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    language = forms.ChoiceField(label="Language", choices=LANGUAGES)


class SubscriptionForm(ChatForm):
    """What a chat gets."""

    title = forms.CharField(
        label="Whose it is",
        required=False,
        max_length=100,
        widget=forms.TextInput({"placeholder": "Finance team", "autocomplete": "off"}),
    )
    daily = forms.BooleanField(label="Daily, 06:00 UTC", required=False, initial=True)
    weekly = forms.BooleanField(label="Weekly, Monday 07:00 UTC", required=False, initial=True)


def wrong(form: forms.Form) -> str:
    """What is wrong with a form, in one sentence."""
    return " ".join(
        f"{form.fields[name].label if name in form.fields else 'Form'}: {errors[0]}"
        for name, errors in form.errors.items()
    )
