"""The filter of the lists, and what its fields take."""

from django import forms

from jobs.admin.forms import FilterForm, MomentField
from jobs.models import Priority
from notifications.inbox.admin.people import people_named
from notifications.inbox.selectors.notifications import NotificationFilter

STATES = (
    ("", "any state"),
    ("unread", "unread: on the screen, not read"),
    ("deferred", "deferred: quiet hours hold it back"),
    ("read", "read"),
    ("auto_cleared", "expired: nobody read it in time"),
    ("recalled", "recalled: taken back"),
    ("replaced", "replaced by a newer one"),
    ("muted", "muted: the person wants none of its source"),
)
PRIORITIES = [(str(value), label) for value, label in Priority.choices]


def text_field(label: str, placeholder: str = "", **attrs: str) -> forms.CharField:
    """A line that may stay empty."""
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off", **attrs})
    return forms.CharField(label=label, required=False, max_length=200, widget=widget)


class NotificationFilterForm(FilterForm):
    """Which notifications a list shows."""

    state = forms.ChoiceField(label="State", required=False, choices=STATES)
    person = text_field("Person", "7:alice, 7 or alice")
    source = text_field("Source", "billing")
    priority = forms.ChoiceField(
        label="Priority", required=False, choices=[("", "any priority"), *PRIORITIES]
    )
    late = forms.ChoiceField(
        label="Quiet hours",
        required=False,
        choices=[("", "no matter"), ("held", "held back, now or before")],
    )
    text = text_field("Text begins with", "Your order")
    collapse_key = text_field("Collapse key", "order:1024")
    correlation_id = text_field("Correlation id")
    accepted_from = MomentField(
        label="Accepted since (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "today, 2h, 2026-11-22 14:00"}),
    )
    accepted_to = MomentField(
        label="Accepted before (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "2026-11-22 15:00"}),
    )

    def where(self) -> NotificationFilter:
        """The filter of a valid form. One query if it names a person."""
        given = self.cleaned_data
        people = given["person"]
        return NotificationFilter(
            state=given["state"],
            source=given["source"],
            priority=int(given["priority"]) if given["priority"] else None,
            recipient_ids=tuple(row.pk for row in people_named(people)) if people else None,
            collapse_key=given["collapse_key"],
            correlation_id=given["correlation_id"],
            text=given["text"],
            is_late=given["late"] == "held",
            accepted_from=given["accepted_from"],
            accepted_to=given["accepted_to"],
        )


def number_of(text: str, *, most: int = 100_000) -> int | None:
    """A whole number from 0 to most; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        return None
    return int(text) if int(text) <= most else None
