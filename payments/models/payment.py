"""One order: what somebody is to pay for, its invoice, and whether it was paid."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from lib.ids import uuid7


class State(models.TextChoices):
    """Where a payment is; docs/payments.md draws the arrows."""

    CREATED = "created", "created"  # the order is written; no invoice yet, or nobody knows
    PENDING = "pending", "pending"  # the invoice is open
    COMPLETED = "completed", "completed"  # the provider says paid, and it fits the order
    FAILED = "failed", "failed"  # not paid in time, or given up; -> completed if paid all the same
    REFUNDED = "refunded", "refunded"  # given back, as a person says


class Purpose(models.TextChoices):
    """Why somebody pays."""

    NEW = "new", "new subscription"
    RENEWAL = "renewal", "renewal"
    AUTO_RENEWAL = "auto_renewal", "automatic renewal"


class CurrencyType(models.TextChoices):
    """In what the price stands: in a coin, or in money for which coins are taken."""

    CRYPTO = "crypto", "crypto"
    FIAT = "fiat", "fiat"


class FoundBy(models.TextChoices):
    """Who noticed that it was paid."""

    WEBHOOK = "webhook", "webhook"
    POLL = "poll", "poll"
    OPERATOR = "operator", "operator"


class Payment(models.Model):
    """An order with a snapshot of what was sold, so that later prices change nothing.

    Amounts are decimals in their currency. paid_* and fee_* are what the provider said; net received is
    paid_amount - fee_amount in paid_asset. subscriber_id is a row of subscriptions, which stand above.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=20, default="cryptobot", db_default="cryptobot")
    external_id = models.CharField(max_length=64, null=True)  # the provider's number of the invoice
    state = models.CharField(max_length=10, choices=State.choices, default=State.CREATED)
    purpose = models.CharField(max_length=14, choices=Purpose.choices, default=Purpose.RENEWAL)

    subscriber_id = models.BigIntegerField(null=True)
    telegram_id = models.BigIntegerField(null=True)
    language = models.CharField(max_length=8, default="", db_default="")

    plan_code = models.CharField(max_length=40)
    plan_title = models.CharField(max_length=120)
    period_days = models.PositiveIntegerField()
    currency_type = models.CharField(max_length=6, choices=CurrencyType.choices)
    currency = models.CharField(max_length=12)  # an asset or a fiat code: "USDT", "EUR"
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    accepted_assets = ArrayField(models.CharField(max_length=12), default=list, db_default=[])

    pay_url = models.CharField(max_length=500, default="", db_default="")
    invoiced_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)  # of the invoice

    paid_at = models.DateTimeField(null=True)  # as the provider says
    paid_asset = models.CharField(max_length=12, default="", db_default="")
    paid_amount = models.DecimalField(max_digits=30, decimal_places=12, null=True)
    fee_asset = models.CharField(max_length=12, default="", db_default="")
    fee_amount = models.DecimalField(max_digits=30, decimal_places=12, null=True)
    paid_usd_rate = models.DecimalField(max_digits=30, decimal_places=12, null=True)
    found_by = models.CharField(
        max_length=8, choices=FoundBy.choices, default="", db_default="", blank=True
    )

    completed_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, default="", db_default="")
    refunded_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)  # when the provider was last asked
    order_key = models.CharField(max_length=160, null=True, unique=True)  # the caller's own, if any
    created_by = models.CharField(max_length=150, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "payment"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("operate_payment", "Can recheck, settle and mark payments"),
            ("enqueue_payment", "Can make invoices"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "external_id"],
                condition=Q(external_id__isnull=False),
                name="payment_external_once",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(condition=Q(period_days__gt=0), name="payment_period_positive"),
            models.CheckConstraint(
                condition=Q(state="created") | Q(external_id__isnull=False) | Q(state="failed"),
                name="payment_has_an_invoice",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["completed", "refunded"])
                | Q(completed_at__isnull=False, paid_at__isnull=False),
                name="payment_completed_was_paid",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["checked_at", "id"],
                condition=Q(state__in=["created", "pending"]),
                name="payment_open",
            ),
            models.Index(fields=["subscriber_id", "-id"], name="payment_of_subscriber"),
            models.Index(fields=["telegram_id", "-id"], name="payment_of_chat"),
            models.Index(
                fields=["completed_at"],
                condition=Q(completed_at__isnull=False),
                name="payment_completed",
            ),
            models.Index(
                fields=["refunded_at"],
                condition=Q(refunded_at__isnull=False),
                name="payment_refunded",
            ),
            models.Index(
                fields=["failed_at"], condition=Q(failed_at__isnull=False), name="payment_failed"
            ),
            models.Index(fields=["state", "-id"], name="payment_by_state"),
            models.Index(fields=["plan_code", "-id"], name="payment_by_plan"),
            models.Index(fields=["currency", "-id"], name="payment_by_currency"),
            models.Index(fields=["paid_asset", "-id"], name="payment_by_asset"),
            # Nearly all are found by their webhook; those that were not are looked for.
            models.Index(
                fields=["found_by", "-id"],
                condition=Q(found_by__in=["poll", "operator"]),
                name="payment_not_by_webhook",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_title}, {self.amount.normalize():f} {self.currency}"
