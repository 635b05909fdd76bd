"""What payments look like over REST. Amounts are decimal texts: a float would lose digits."""

from typing import Any

from rest_framework import serializers

from payments.models import FoundBy, Payment, PaymentEvent, Purpose, Review, State
from payments.words import amount_say, failure_say, say

EXAMPLE_ID = "01a20226-4c1e-7b3f-9a52-6f2f0d9c7e10"
EXAMPLE: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "provider": "cryptobot",
    "invoice": "9000017",
    "state": "completed",
    "purpose": "renewal",
    "subscriber_id": 4711,
    "telegram_id": 5000001,
    "plan_code": "standard-1m",
    "plan_title": "Standard, 1 month",
    "period_days": 30,
    "currency_type": "crypto",
    "currency": "USDT",
    "amount": "5",
    "accepted_assets": [],
    "pay_url": "https://t.me/CryptoBot?start=IVx7Qm",
    "expires_at": "2026-11-23T10:00:00Z",
    "paid_at": "2026-11-22T10:04:10Z",
    "paid_asset": "USDT",
    "paid_amount": "5",
    "fee_asset": "USDT",
    "fee_amount": "0.15",
    "found_by": "webhook",
    "completed_at": "2026-11-22T10:04:11Z",
    "failed_at": None,
    "failure": "",
    "refunded_at": None,
    "checked_at": "2026-11-22T10:04:11Z",
    "created_at": "2026-11-22T10:00:00Z",
}
STORY_EXAMPLE: list[dict[str, Any]] = [
    {
        "at": "2026-11-22T10:00:00Z",
        "kind": "ordered",
        "sentence": "Ordered Standard, 1 month, 30 days, for 5 USDT.",
        "facts": {
            "plan": "Standard, 1 month",
            "days": 30,
            "amount": "5",
            "currency": "USDT",
            "purpose": "renewal",
        },
        "actor": "",
    }
]


class PaymentOutput(serializers.Serializer[Any]):
    """An order, its invoice, and what came of it."""

    id = serializers.UUIDField()
    provider = serializers.CharField()
    invoice = serializers.CharField(
        source="external_id", allow_null=True, help_text="The provider's number."
    )
    state = serializers.CharField(help_text=f"One of {', '.join(State.values)}.")
    purpose = serializers.ChoiceField(choices=Purpose.choices)
    subscriber_id = serializers.IntegerField(allow_null=True)
    telegram_id = serializers.IntegerField(allow_null=True)
    plan_code = serializers.CharField()
    plan_title = serializers.CharField()
    period_days = serializers.IntegerField()
    currency_type = serializers.CharField(help_text="crypto or fiat.")
    currency = serializers.CharField(help_text="In which amount stands.")
    amount = serializers.SerializerMethodField(help_text="A decimal as text.")
    accepted_assets = serializers.ListField(child=serializers.CharField())
    pay_url = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    paid_asset = serializers.CharField()
    paid_amount = serializers.SerializerMethodField()
    fee_asset = serializers.CharField()
    fee_amount = serializers.SerializerMethodField()
    found_by = serializers.ChoiceField(choices=[("", ""), *FoundBy.choices])
    completed_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.SerializerMethodField(help_text="For people; may change.")
    refunded_at = serializers.DateTimeField(allow_null=True)
    checked_at = serializers.DateTimeField(
        allow_null=True, help_text="When the provider was last asked."
    )
    created_at = serializers.DateTimeField()

    def get_amount(self, payment: Payment) -> str:
        return amount_say(payment.amount)

    def get_paid_amount(self, payment: Payment) -> str | None:
        return None if payment.paid_amount is None else amount_say(payment.paid_amount)

    def get_fee_amount(self, payment: Payment) -> str | None:
        return None if payment.fee_amount is None else amount_say(payment.fee_amount)

    def get_failure(self, payment: Payment) -> str:
        return failure_say(payment.failure) if payment.failure else ""


class PaymentEventOutput(serializers.Serializer[Any]):
    """One line of the story of a payment."""

    at = serializers.DateTimeField()
    kind = serializers.CharField(help_text="Stable, for programs.")
    sentence = serializers.SerializerMethodField(help_text="For people; may change.")
    facts = serializers.DictField(source="data", help_text="What the sentence was made of.")
    actor = serializers.CharField(help_text="A person, or empty.")

    def get_sentence(self, event: PaymentEvent) -> str:
        return say(event.kind, event.data)


class PaymentQuestionOutput(serializers.Serializer[Any]):
    """A question about its money."""

    id = serializers.IntegerField()
    reason = serializers.CharField()
    sentence = serializers.SerializerMethodField()
    opened_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolution = serializers.CharField()

    def get_sentence(self, review: Review) -> str:
        return str(review)


class PaymentDetailOutput(PaymentOutput):
    """A payment with its story."""

    story = PaymentEventOutput(many=True)
    questions = PaymentQuestionOutput(many=True)
