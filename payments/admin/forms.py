"""The forms of the console: each says beside the field what is wrong."""

from django import forms

from jobs.admin.forms import FilterForm, MomentField
from payments.intake.sources import sources
from payments.listing.incoming import WebhookFilter
from payments.listing.payments import PaymentFilter
from payments.models import FoundBy, Intake, Purpose, ReviewReason, State
from payments.words import RESOLUTIONS

_DAY = forms.TextInput({"placeholder": "today, 7d, 2026-11-22"})


def _text(label: str, placeholder: str, longest: int = 40) -> forms.CharField:
    widget = forms.TextInput({"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=longest, widget=widget)


def _number(label: str) -> forms.IntegerField:
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(
        label=label, required=False, min_value=-(2**63), max_value=2**63 - 1, widget=widget
    )


class PaymentFilterForm(FilterForm):
    """Which payments a list shows."""

    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "any state"), *State.choices]
    )
    provider = _text("Provider", "cryptobot", 20)
    plan = _text("Plan", "standard-1m")
    currency = _text("Price in", "USDT", 12)
    asset = _text("Paid in", "TON", 12)
    purpose = forms.ChoiceField(
        label="Purpose", required=False, choices=[("", "any purpose"), *Purpose.choices]
    )
    found_by = forms.ChoiceField(
        label="Noticed by", required=False, choices=[("", "anybody"), *FoundBy.choices]
    )
    telegram = _number("Telegram id")
    subscriber = _number("Subscriber")
    created_from = MomentField(label="Ordered since (UTC)", required=False, widget=_DAY)
    created_to = MomentField(label="Ordered before (UTC)", required=False, widget=_DAY)

    def where(self) -> PaymentFilter:
        """The filter of a valid form."""
        given = self.cleaned_data
        return PaymentFilter(
            state=given["state"],
            provider=given["provider"],
            plan_code=given["plan"],
            currency=given["currency"],
            asset=given["asset"],
            purpose=given["purpose"],
            found_by=given["found_by"],
            telegram_id=given["telegram"],
            subscriber_id=given["subscriber"],
            created_from=given["created_from"],
            created_to=given["created_to"],
        )


class WebhookFilterForm(FilterForm):
    """Which deliveries a list shows."""

    source = forms.ChoiceField(label="From", required=False)
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "any state"), *Intake.choices]
    )
    event = _text("Event", "invoice_paid", 60)
    about = _text("About", "payment:01a2…, invoice:9000001", 80)
    received_from = MomentField(label="Received since (UTC)", required=False, widget=_DAY)
    received_to = MomentField(label="Received before (UTC)", required=False, widget=_DAY)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["source"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "anybody"), *((each.name, each.title) for each in sources())]

    def where(self) -> WebhookFilter:
        """The filter of a valid form."""
        given = self.cleaned_data
        return WebhookFilter(
            source=given["source"],
            state=given["state"],
            event=given["event"],
            object_ref=given["about"],
            received_from=given["received_from"],
            received_to=given["received_to"],
        )


class ReviewFilterForm(FilterForm):
    """Which questions a list shows."""

    answered = forms.ChoiceField(
        label="Which", required=False, choices=[("", "open"), ("yes", "answered")]
    )
    reason = forms.ChoiceField(
        label="Reason", required=False, choices=[("", "any reason"), *ReviewReason.choices]
    )


class ResolveForm(forms.Form):
    """The answer to a question."""

    resolution = forms.ChoiceField(
        choices=[(name, RESOLUTIONS[name]) for name in ("settled", "refunded", "kept")]
    )
    payment = forms.UUIDField(
        label="Payment",
        required=False,
        help_text="For an invoice that we do not know: the payment that this money is for.",
        error_messages={"invalid": "This is not the id of a payment."},
    )
    note = forms.CharField(max_length=500, widget=forms.TextInput({"autocomplete": "off"}))


class DaysForm(FilterForm):
    """Which span and currency the charts show."""

    days = forms.ChoiceField(
        required=False, choices=[("", "30"), ("30", "30"), ("90", "90"), ("365", "365")]
    )
    currency = _text("Currency", "USDT", 12)
