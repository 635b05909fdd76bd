"""From money to access: one activation per payment, with the date it leads to."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from payments.models import Payment
from subscriptions.models.plan import Plan
from subscriptions.models.subscriber import Subscriber


class Activation(models.Model):
    """What a completed payment gives. target_expire_at is computed once, stored, and written to the
    panel as an absolute date: repeating it changes nothing.

    Unique per payment: whoever completes it twice finds this row.
    """

    class State(models.TextChoices):
        """Where it is."""

        PENDING = "pending", "pending"
        APPLIED = "applied", "applied"  # the panel was read back and serves until the target
        FAILED = "failed", "failed"  # tried in vain; an alert with a button is open
        HELD = "held", "held"  # an operator had disabled the subscriber: a person decides

    id = models.BigAutoField(primary_key=True)
    payment = models.OneToOneField(Payment, models.PROTECT, related_name="activation")
    subscriber = models.ForeignKey(
        Subscriber, models.PROTECT, related_name="activations", null=True
    )
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, related_name="+")
    days = models.PositiveIntegerField()
    base_expire_at = models.DateTimeField(null=True)  # what the period was added to
    target_expire_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=7, choices=State.choices, default=State.PENDING)
    job_id = models.UUIDField(null=True)
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    last_error = models.CharField(max_length=500, default="", db_default="")
    applied_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "subscription_activation"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_activation", "Can heal and retry activations")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state="applied")
                | Q(applied_at__isnull=False, target_expire_at__isnull=False),
                name="activation_applied_has_a_date",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"],
                condition=~Q(state="applied"),
                name="subscription_activation_open",
            ),
            models.Index(fields=["subscriber", "-id"], name="subscription_activation_of"),
        ]

    def __str__(self) -> str:
        return f"{self.days} days: {self.state}"


class Renewal(models.Model):
    """An invoice that auto-renewal made: one per subscriber and expiry date."""

    id = models.BigAutoField(primary_key=True)
    subscriber = models.ForeignKey(
        Subscriber, models.CASCADE, related_name="renewals", db_index=False
    )
    expire_at = models.DateTimeField()
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="+")
    told_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=40, default="", db_default="")  # why there is no invoice
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "subscription_renewal"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscriber", "expire_at"], name="subscription_renewal_once"
            )
        ]

    def __str__(self) -> str:
        return f"renewal for {self.expire_at:%Y-%m-%d}"


class AccessGap(models.Model):
    """Somebody paid, and provider, ledger and panel do not agree that he is served."""

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(Payment, models.CASCADE, related_name="gaps")
    kind = models.CharField(max_length=30)  # subscriptions/access/kinds.py says it for people
    facts = models.JSONField(default=dict, db_default={})
    found_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    healed_at = models.DateTimeField(null=True)
    healed_by = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        db_table = "access_gap"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["payment", "kind"],
                condition=Q(healed_at__isnull=True),
                name="access_gap_open_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["found_at"], condition=Q(healed_at__isnull=True), name="access_gap_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.payment_id}"
