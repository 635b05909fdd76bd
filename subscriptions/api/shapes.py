"""Plans, subscribers, their stories and orders, as they look over REST."""

from typing import Any

from rest_framework import serializers

from jobs.api.fields import StrictSerializer
from notifications.telegram.templates import LANGUAGES
from payments.models import Payment
from payments.words import amount_say
from subscriptions.models import Plan, Subscriber

PLAN_EXAMPLE = {
    "code": "standard-1m",
    "title": "Standard, 1 month",
    "title_ru": "Стандарт, 1 месяц",
    "period_days": 30,
    "traffic_limit_bytes": 107374182400,
    "traffic_limit_strategy": "NO_RESET",
    "device_limit": 5,
    "is_active": True,
    "prices": [
        {
            "currency_type": "fiat",
            "currency": "EUR",
            "amount": "5.00",
            "accepted_assets": ["USDT", "TON"],
            "valid_from": "2026-11-01T00:00:00Z",
        }
    ],
}
SUBSCRIBER_EXAMPLE = {
    "id": 7,
    "panel_id": 1207,
    "username": "tg500000001_4be0c5",
    "status": "ACTIVE",
    "expire_at": "2026-12-22T10:00:00Z",
    "telegram_id": 500000001,
    "plan": "standard-1m",
    "auto_renew": True,
    "renew_currency": "EUR",
    "language": "en",
    "time_zone": "Europe/Moscow",
    "traffic_limit_bytes": 107374182400,
    "used_traffic_bytes": 5368709120,
    "tag": "STD",
    "online_at": "2026-11-22T09:58:00Z",
    "cut_by": "",
    "cut_reason": "",
    "missing_since": None,
    "mirrored_at": "2026-11-22T10:00:00Z",
}
ORDER_EXAMPLE = {
    "payment_id": "01a20226-1111-7a0b-8a51-6f2f0d9c7e10",
    "state": "created",
    "subscriber_id": 7,
    "plan": "standard-1m",
    "period_days": 30,
    "amount": "5",
    "currency": "EUR",
    "pay_url": None,
    "expires_at": None,
}
EVENT_EXAMPLE = {
    "id": 9001,
    "at": "2026-11-22T10:00:02Z",
    "kind": "activated",
    "text": "The payment was activated: served until 2026-12-22 10:00 UTC (before: 2026-11-22 10:00 UTC).",
    "cause": "a payment",
    "actor": "",
    "payment_id": "01a20226-1111-7a0b-8a51-6f2f0d9c7e10",
    "job_id": "01a20226-2222-7a0b-8a51-6f2f0d9c7e10",
}


class PlanPrice(serializers.Serializer[Any]):
    """A price as it is now. amount is a decimal as a text."""

    currency_type = serializers.CharField()
    currency = serializers.CharField()
    amount = serializers.SerializerMethodField()
    accepted_assets = serializers.ListField(
        child=serializers.CharField(), help_text="Coins that pay a fiat price; empty: all."
    )
    valid_from = serializers.DateTimeField()

    def get_amount(self, price: Any) -> str:
        return amount_say(price.amount)


class SubscriptionPlan(serializers.ModelSerializer[Plan]):
    """A plan with its current prices. Traffic in bytes, 0: unlimited."""

    prices = PlanPrice(many=True, source="current")

    class Meta:
        model = Plan
        fields = (
            "code", "title", "title_ru", "period_days", "traffic_limit_bytes",
            "traffic_limit_strategy", "device_limit", "is_active", "prices",
        )  # fmt: skip


class SubscriberShape(serializers.ModelSerializer[Subscriber]):
    """A subscriber, without whatever would let somebody else use his access."""

    plan = serializers.SerializerMethodField(help_text="The code of the plan, if it is known.")

    class Meta:
        model = Subscriber
        fields = (
            "id", "panel_id", "username", "status", "expire_at", "telegram_id", "plan",
            "auto_renew", "renew_currency", "language", "time_zone", "traffic_limit_bytes",
            "used_traffic_bytes", "tag", "online_at", "cut_by", "cut_reason", "missing_since",
            "mirrored_at",
        )  # fmt: skip

    def get_plan(self, row: Subscriber) -> str | None:
        return row.plan.code if row.plan else None


class SubscribersFound(serializers.Serializer[Any]):
    items = SubscriberShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class SubscriberChange(StrictSerializer):
    """What only we know of a subscriber; what is left out stays."""

    plan = serializers.CharField(required=False, allow_null=True, help_text="A code, or null.")
    auto_renew = serializers.BooleanField(
        required=False, help_text="Send an invoice an hour before the end. Nothing is charged."
    )
    renew_currency = serializers.CharField(required=False, allow_blank=True, max_length=12)
    language = serializers.ChoiceField(required=False, choices=["", *LANGUAGES])
    time_zone = serializers.CharField(required=False, allow_blank=True, max_length=64)


class SubscriberEventShape(serializers.Serializer[Any]):
    """One line of a story. text is a sentence for people; kind is for programs."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    text = serializers.CharField()
    cause = serializers.CharField(source="source")
    actor = serializers.CharField()
    payment_id = serializers.CharField(allow_null=True)
    job_id = serializers.CharField(allow_null=True)


class SubscriberStory(serializers.Serializer[Any]):
    items = SubscriberEventShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class OrderTerms(StrictSerializer):
    """What every order says."""

    currency = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=12,
        help_text="Default: the plan's first price.",
    )
    expires_in_s = serializers.IntegerField(
        required=False, min_value=60, max_value=86_400, help_text="How long it can be paid."
    )


class OrderInput(OrderTerms):
    """An order of a subscriber."""

    plan = serializers.CharField(help_text="The code of a plan.")


class NewOrderInput(OrderTerms):
    """An order of somebody who is no subscriber yet."""

    telegram_id = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=2**52,
        help_text="Where he is told; without it he is not.",
    )
    language = serializers.CharField(required=False, allow_blank=True, max_length=8)


class OrderShape(serializers.ModelSerializer[Payment]):
    """An order. pay_url comes within seconds: ask `/api/v1/payments/<payment_id>` again."""

    payment_id = serializers.UUIDField(source="id")
    plan = serializers.CharField(source="plan_code")
    amount = serializers.SerializerMethodField(help_text="A decimal as a text.")
    pay_url = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = (
            "payment_id", "state", "subscriber_id", "plan", "period_days", "amount", "currency",
            "pay_url", "expires_at",
        )  # fmt: skip

    def get_amount(self, payment: Payment) -> str:
        return amount_say(payment.amount)

    def get_pay_url(self, payment: Payment) -> str | None:
        return payment.pay_url or None
