"""The filters of the lists."""

from typing import Any

from django import forms

from jobs.admin.forms import FilterForm, MomentField
from notifications.conversations.models.dialog import TITLE_LIMIT, USER_LIMIT
from notifications.conversations.selectors.listing import DialogFilter
from notifications.conversations.selectors.notices import NoticeFilter
from notifications.conversations.words import OUTCOMES

SINCE = {"placeholder": "today, 2h, 2026-11-22 14:00"}
BEFORE = {"placeholder": "2026-11-22 15:00"}
_CHOSEN = {"yes": True, "no": False}


def _text(label: str, placeholder: str, longest: int) -> forms.CharField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=longest, widget=widget)


def _moment(label: str, attrs: dict[str, str]) -> MomentField:
    return MomentField(label=label, required=False, widget=forms.TextInput(attrs))


class DialogFilterForm(FilterForm):
    """Which dialogs a list shows."""

    user_id = _text("Somebody who takes part", "42", USER_LIMIT)
    title = _text("Title begins with", "Order 1", TITLE_LIMIT)
    archived = forms.ChoiceField(
        label="Put away",
        required=False,
        choices=[("", "no matter"), ("no", "in use"), ("yes", "put away")],
    )
    unread = forms.ChoiceField(
        label="Unread", required=False, choices=[("", "no matter"), ("yes", "somebody has unread")]
    )
    waiting = forms.ChoiceField(
        label="Timer", required=False, choices=[("", "no matter"), ("yes", "somebody waits")]
    )
    active_from = _moment("Active since (UTC)", SINCE)
    active_to = _moment("Active before (UTC)", BEFORE)

    def where(self) -> DialogFilter:
        """The filter of a valid form."""
        given = self.cleaned_data
        return DialogFilter(
            user_id=given["user_id"],
            is_archived=_CHOSEN.get(given["archived"]),
            has_unread=given["unread"] == "yes",
            is_waiting=given["waiting"] == "yes",
            title=given["title"],
            active_from=given["active_from"],
            active_to=given["active_to"],
        )


class NoticeFilterForm(FilterForm):
    """Which ends of timers a list shows."""

    outcome = forms.ChoiceField(
        label="Outcome",
        required=False,
        choices=[
            ("", "any outcome"),
            *((name, f"{word}: {meaning}") for name, (word, meaning, _) in OUTCOMES.items()),
        ],
    )
    user_id = _text("Person", "42", USER_LIMIT)
    dialog_id = forms.UUIDField(label="Dialog", required=False)
    message_id = forms.UUIDField(label="Message", required=False)
    at_from = _moment("Rang since (UTC)", SINCE)
    at_to = _moment("Rang before (UTC)", BEFORE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("dialog_id", "message_id"):
            self.fields[name].widget.attrs |= {"placeholder": "an id", "autocomplete": "off"}
            self.fields[name].error_messages["invalid"] = "An id looks like 01935b0e-7c1a-7d3e-…"

    def where(self) -> NoticeFilter:
        """The filter of a valid form."""
        return NoticeFilter(**self.cleaned_data)
