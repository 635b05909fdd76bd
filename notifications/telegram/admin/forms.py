"""The forms of the console: each says beside the field what is wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.dateparse import parse_date, parse_datetime

from jobs.admin.forms import FilterForm, MomentField
from jobs.models import Priority
from lib import clock, durations
from lib.errors import DomainError
from notifications.telegram.alerts import ALERT
from notifications.telegram.listing import DUE, RETRYING, SCHEDULED, SENDING, MessageFilter
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import REASONS, chat_check, text_check
from notifications.telegram.templates import registry

TEST = "test"  # the type of messages that try a text out
STATES = (
    ("", "any state"),
    (DUE, "due: goes out next"),
    (SCHEDULED, "scheduled: later"),
    (RETRYING, "retrying: failed before"),
    (SENDING, "being sent"),
    (QueuedMessage.Status.PENDING, "pending: all that wait"),
    (QueuedMessage.Status.SENT, "sent"),
    (QueuedMessage.Status.FAILED, "failed: waits for a person"),
    (QueuedMessage.Status.CANCELLED, "cancelled"),
)
OTHER_REASONS = {
    "duplicate": "dropped as a duplicate",
    "cancelled": "cancelled by a person",
    "rate_limited": "Telegram asked to wait",
    "unauthorized": "the token is refused",
    "migrated": "the group has a new id",
}
PRIORITIES = [(str(value), label) for value, label in Priority.choices]
PARSE_MODES = (("HTML", "HTML"), ("", "plain text"), ("MarkdownV2", "MarkdownV2"))


def _text(label: str, placeholder: str = "", **attrs: str) -> forms.CharField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off", **attrs})
    return forms.CharField(label=label, required=False, max_length=160, widget=widget)


class ChatField(forms.IntegerField):
    """The id of a chat: people are positive numbers, groups and channels negative ones."""

    widget = forms.TextInput

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=-(2**63), max_value=2**63 - 1, **options)
        self.widget.attrs |= {
            "inputmode": "text",
            "autocomplete": "off",
            "placeholder": "500100201",
        }
        self.error_messages["invalid"] = "The id of a chat is a number, such as 500100201."


class MessageFilterForm(FilterForm):
    """Which messages a list shows."""

    state = forms.ChoiceField(label="State", required=False, choices=STATES)
    telegram_id = ChatField(label="Chat", required=False)
    notification_type = _text("Type", "subscription_expired", list="types")
    priority = forms.ChoiceField(
        label="Priority", required=False, choices=[("", "any priority"), *PRIORITIES]
    )
    reason = forms.ChoiceField(
        label="Reason",
        required=False,
        choices=[
            ("", "any reason"),
            *((name, f"{name}: {words[:44].rstrip('.')}") for name, words in REASONS.items()),
            *((name, f"{name}: {words}") for name, words in OTHER_REASONS.items()),
        ],
    )
    dedup_key = _text("Dedup key", "invoice:1024")
    doubled = forms.ChoiceField(
        label="Arrived twice?",
        required=False,
        choices=[("", "no matter"), ("maybe", "may have arrived twice")],
    )
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

    @property
    def known_types(self) -> list[str]:
        """Types of our own messages; other backends may use any."""
        return [*registry, ALERT, TEST, "message"]

    def where(self) -> MessageFilter:
        """The filter of a valid form."""
        given = self.cleaned_data
        return MessageFilter(
            state=given["state"],
            notification_type=given["notification_type"],
            priority=int(given["priority"]) if given["priority"] else None,
            reason=given["reason"],
            telegram_id=given["telegram_id"],
            dedup_key=given["dedup_key"],
            is_doubled=given["doubled"] == "maybe",
            created_from=given["created_from"],
            created_to=given["created_to"],
        )


class WhenField(forms.CharField):
    """A moment that is not over: nothing for now, a span from now, or a date and time in UTC."""

    def clean(self, value: Any) -> datetime | None:
        text = str(super().clean(value)).strip()
        if not text or text == "now":
            return None
        now = clock.now()
        try:
            moment = _moment(text, now)
        except (ValueError, OverflowError):
            raise forms.ValidationError(
                "Write nothing for now, a span such as 30m, or 2026-11-22 14:00 (UTC)."
            ) from None
        if moment < now - timedelta(minutes=1):
            raise forms.ValidationError("This moment is over; leave it empty for now.")
        if moment > now + timedelta(days=366):
            raise forms.ValidationError("This is more than a year away.")
        return moment


def _moment(text: str, now: datetime) -> datetime:
    if (day := parse_date(text)) is not None:
        return datetime.combine(day, time(), UTC)
    if (moment := parse_datetime(text)) is not None:
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return now + durations.parse(text.removeprefix("in ").strip())


class ComposeForm(forms.Form):
    """A message that a person writes. for_test: it goes to the admins, so no chat is needed."""

    message = forms.CharField(
        label="Text",
        strip=False,
        widget=forms.Textarea({"rows": 12, "autofocus": True, "data-compose": "", "lang": ""}),
    )
    parse_mode = forms.ChoiceField(
        label="Format", required=False, choices=PARSE_MODES, initial="HTML"
    )
    telegram_id = ChatField(label="To chat")
    priority = forms.ChoiceField(label="Priority", choices=PRIORITIES, initial="2")
    scheduled_at = WhenField(
        label="When",
        required=False,
        max_length=40,
        widget=forms.TextInput(
            {"placeholder": "now, 30m, 2026-11-22 14:00", "autocomplete": "off"}
        ),
    )

    def __init__(self, *args: Any, for_test: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if for_test:
            self.fields["telegram_id"].required = False

    def clean_parse_mode(self) -> str | None:
        """None means plain text."""
        return self.cleaned_data["parse_mode"] or None

    def clean_telegram_id(self) -> int | None:
        """A number that Telegram could have given."""
        chat: int | None = self.cleaned_data["telegram_id"]
        if chat is not None:
            _refused(chat_check, {"telegram_id": chat})
        return chat

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "message" in given and "parse_mode" in given:
            text = given["message"] = given["message"].replace("\r\n", "\n")
            try:
                _refused(text_check, {"text": text, "parse_mode": given["parse_mode"]})
            except forms.ValidationError as exc:
                self.add_error("message", exc)
        return given


def _refused(check: Any, given: Mapping[str, Any]) -> None:
    """Say as an error of a form what a service would refuse."""
    try:
        check(**given)
    except DomainError as exc:
        sentence = exc.message[:1].upper() + exc.message[1:]
        raise forms.ValidationError(
            sentence if sentence.endswith(".") else f"{sentence}."
        ) from None
