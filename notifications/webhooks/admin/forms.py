"""The forms of the console: each says beside the field what is wrong."""

from typing import Any
from uuid import UUID

from django import forms

from jobs.admin.forms import FilterForm, MomentField
from lib import clock
from notifications.webhooks.deliveries import Which
from notifications.webhooks.endpoints import MAX_RATE_PER_MINUTE
from notifications.webhooks.listing import RETRYING, DeliveryFilter
from notifications.webhooks.models import EVERYTHING, Delivery, Endpoint
from notifications.webhooks.selectors import endpoints_all
from notifications.webhooks.types import event_types

STATES = (
    ("", "any state"),
    (Delivery.State.PENDING, "pending: waits or is tried again"),
    (RETRYING, "retrying: failed before"),
    (Delivery.State.DELIVERED, "delivered"),
    (Delivery.State.FAILED, "failed: given up"),
    (Delivery.State.CANCELLED, "cancelled"),
)
WHICH = (
    (Which.FAILED.value, "what failed: was given up"),
    (Which.ALL.value, "everything that has ended, also what was delivered"),
    (Which.MISSING.value, "what it missed: it was off, or not there yet"),
)
MOST_CHOICES = 500  # endpoints that a filter offers


def _choices_of_endpoints() -> list[tuple[str, str]]:
    rows = endpoints_all().values_list("pk", "title")[:MOST_CHOICES]
    return [("", "any endpoint"), *((str(pk), title) for pk, title in rows)]


def _choices_of_types() -> list[tuple[str, str]]:
    return [("", "any type"), *((each.name, each.name) for each in event_types())]


class DeliveryFilterForm(FilterForm):
    """Which deliveries a list shows."""

    state = forms.ChoiceField(label="State", required=False, choices=STATES)
    endpoint = forms.UUIDField(
        label="Endpoint", required=False, error_messages={"invalid": "There is no such endpoint."}
    )
    event_type = forms.CharField(label="Event type", required=False, max_length=80)
    status = forms.IntegerField(
        label="Last answer",
        required=False,
        min_value=100,
        max_value=599,
        widget=forms.TextInput({"placeholder": "503", "inputmode": "numeric"}),
    )
    event = forms.UUIDField(
        label="Event id", required=False, widget=forms.TextInput({"autocomplete": "off"})
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["endpoint"].widget = forms.Select(choices=_choices_of_endpoints())
        self.fields["event_type"].widget = forms.Select(choices=_choices_of_types())

    def where(self) -> DeliveryFilter:
        """The filter of a valid form."""
        given = self.cleaned_data
        return DeliveryFilter(
            state=given["state"],
            endpoint_id=given["endpoint"],
            event_type=given["event_type"],
            status=given["status"],
            created_from=given["created_from"],
            created_to=given["created_to"],
            event_id=given["event"],
        )


class EndpointForm(forms.Form):
    """What people set of an endpoint. The service checks it all again."""

    title = forms.CharField(max_length=120, widget=forms.TextInput({"placeholder": "Shop"}))
    url = forms.CharField(
        label="Address",
        max_length=2000,
        widget=forms.TextInput({"placeholder": "https://shop.example/hooks/switchboard"}),
        help_text="Requests go to the public internet only, and redirects are not followed.",
    )
    everything = forms.BooleanField(
        label="All event types, also those that come later", required=False
    )
    event_types = forms.MultipleChoiceField(
        label="Event types", required=False, widget=forms.CheckboxSelectMultiple
    )
    description = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 2, "placeholder": "Whose it is, and whom to ask"}),
    )
    rate_per_minute = forms.IntegerField(
        label="Deliveries per minute, at most",
        required=False,
        min_value=1,
        max_value=MAX_RATE_PER_MINUTE,
        help_text="Evenly spaced. Empty: as fast as it answers.",
    )
    max_in_flight = forms.IntegerField(
        label="Requests at once, at most", min_value=1, max_value=64, initial=8
    )
    timeout_s = forms.IntegerField(
        label="Timeout of a request, in seconds",
        min_value=1,
        max_value=30,
        initial=15,
        help_text="A receiver should take an event in, answer 2xx, and do its work afterwards.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["event_types"]
        assert isinstance(choice, forms.MultipleChoiceField)
        choice.choices = [(each.name, f"{each.name}: {each.title}") for each in event_types()]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("everything") and not given.get("event_types"):
            self.add_error("event_types", "Choose at least one, or all of them.")
        return given

    def changes(self) -> dict[str, Any]:
        """What a valid form says, as the services want it."""
        given = dict(self.cleaned_data)
        if given.pop("everything"):
            given["event_types"] = [EVERYTHING]
        return given


def initial_of(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint as its form shows it."""
    return {
        **{
            name: getattr(endpoint, name)
            for name in EndpointForm.base_fields
            if name != "everything"
        },
        "everything": EVERYTHING in endpoint.event_types,
    }


class ReplayForm(forms.Form):
    """Which span of time is sent again."""

    since = MomentField(
        label="Events since (UTC)",
        widget=forms.TextInput({"placeholder": "2h, today, 2026-11-22 14:00"}),
    )
    until = MomentField(
        label="and before (UTC)",
        required=False,
        widget=forms.TextInput({"placeholder": "now"}),
    )
    which = forms.ChoiceField(label="What", choices=WHICH)

    def fixed(self) -> list[tuple[str, str]]:
        """The same span for the click that follows: "2h" means another one by then."""
        given = self.cleaned_data
        until = given["until"] or clock.now()
        return [
            ("since", given["since"].isoformat()),
            ("until", until.isoformat()),
            ("which", given["which"]),
        ]


def uuid_of(text: str) -> UUID | None:
    """An id as people paste it: of an event, or the webhook-id of a request."""
    try:
        return UUID(text.strip().removeprefix("msg_"))
    except ValueError:
        return None
