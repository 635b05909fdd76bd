"""The filter of the list, and of the ledger."""

from typing import Any

from django import forms

from jobs.admin.forms import FilterForm, MomentField
from notifications.broadcasts.admin.listing import BroadcastFilter
from notifications.broadcasts.models import Channel, Fate, Status
from notifications.broadcasts.reasons import REASONS

CHANNELS = [("inbox", "Inbox"), ("telegram", "Telegram")]
FATES = (
    ("", "any fate"),
    ("missed", "did not get it: failed, skipped, unknown"),
    ("failed", "failed"),
    ("skipped", "skipped"),
    ("unknown", "unknown: it may have arrived"),
    ("sent", "sent"),
    ("pending", "pending: their turn has not come"),
)
MISSED = (Fate.FAILED, Fate.SKIPPED, Fate.UNKNOWN)
assert {name for name, _ in CHANNELS} == set(Channel.values)


def _text(label: str, placeholder: str = "") -> forms.CharField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=200, widget=widget)


def _moment(label: str, placeholder: str) -> MomentField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off"})
    return MomentField(label=label, required=False, widget=widget)


class BroadcastFilterForm(FilterForm):
    """Which broadcasts the list shows."""

    status = forms.ChoiceField(
        label="Status", required=False, choices=[("", "any status"), *Status.choices]
    )
    channel = forms.ChoiceField(
        label="Channel", required=False, choices=[("", "any channel"), *CHANNELS]
    )
    text = _text("Title or text contains", "maintenance")
    created_by = _text("Written by", "alice")
    missing = forms.ChoiceField(
        label="Who got it",
        required=False,
        choices=[("", "no matter"), ("yes", "some did not get it")],
    )
    created_from = _moment("Written since (UTC)", "today, 7d, 2026-11-22 14:00")
    created_to = _moment("Written before (UTC)", "2026-11-22 15:00")

    def where(self) -> BroadcastFilter:
        """The filter of a valid form."""
        given = self.cleaned_data
        return BroadcastFilter(
            status=given["status"],
            channel=given["channel"],
            text=given["text"],
            created_by=given["created_by"],
            missing=given["missing"] == "yes",
            created_from=given["created_from"],
            created_to=given["created_to"],
        )


class LedgerFilterForm(FilterForm):
    """Which recipients of a broadcast its ledger shows."""

    fate = forms.ChoiceField(label="Fate", required=False, choices=FATES)
    channel = forms.ChoiceField(
        label="Channel", required=False, choices=[("", "any channel"), *CHANNELS]
    )
    reason = forms.ChoiceField(
        label="Why",
        required=False,
        choices=[("", "any reason"), *((name, text) for name, text in REASONS.items())],
    )
    person = _text("Person", "login, user id or Telegram id")

    def where(self) -> dict[str, Any]:
        """The arguments of ledger_page. Of a valid form."""
        given = self.cleaned_data
        fates = MISSED if given["fate"] == "missed" else filter(None, [given["fate"]])
        return {
            "channel": given["channel"],
            "fates": tuple(str(fate) for fate in fates),
            "reason": given["reason"],
            "search": given["person"].replace("\x00", ""),
        }


def number_of(text: str) -> int | None:
    """A whole number that a row can have; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return int(text)
