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

    class Reason(models.TextChoices):
        """Why it is not applied: what the button on the page has to do."""

        NONE = "", ""
        AWAY = "away", "the panel does not answer"  # tried again by itself once it does
        MISSING = "missing", "the panel has no such user any more"
        REFUSED = "refused", "the panel refused it"
        DISABLED = "disabled", "somebody had disabled the subscriber"
        INTERNAL = "internal", "our own code failed on it"
        RELEASED = "released", "a person lifted the hold"

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
    reason = models.CharField(
        max_length=10, choices=Reason.choices, default=Reason.NONE, db_default="", blank=True
    )
    job_id = models.UUIDField(null=True)
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    last_error = models.CharField(max_length=500, default="", db_default="")
    applied_at = models.DateTimeField(null=True)
    told_waiting_at = models.DateTimeField(null=True)  # that it was paid and access comes later
    told_at = models.DateTimeField(null=True)  # that it was paid and until when access lasts
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
            models.Index(
                fields=["applied_at"],
                condition=Q(state="applied"),
                name="subscription_activation_new",
            ),
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
    """Somebody paid, and provider, ledger and panel do not agree that he is served.

    facts: what each of the three says, as texts. ending says how it was closed.
    """

    class Ending(models.TextChoices):
        """How a gap was closed."""

        OPEN = "", "open"
        ITSELF = "itself", "it closed by itself"
        HEALED = "healed", "healed"
        DISMISSED = "dismissed", "a person said that it is right as it is"

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(Payment, models.CASCADE, related_name="gaps")
    kind = models.CharField(max_length=30)  # subscriptions/access/kinds.py says it for people
    facts = models.JSONField(default=dict, db_default={})
    found_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    healed_at = models.DateTimeField(null=True)
    healed_by = models.CharField(max_length=150, default="", db_default="")
    ending = models.CharField(
        max_length=9, choices=Ending.choices, default=Ending.OPEN, db_default="", blank=True
    )
    alerted_at = models.DateTimeField(null=True)  # told as critical

    class Meta:
        db_table = "access_gap"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_accessgap", "Can heal and dismiss gaps")]
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


class AccessLatency(models.Model):
    """How long it took from paid to served: a histogram that only grows. le: upper bound in seconds,
    -1 for the open bucket."""

    le = models.IntegerField(primary_key=True)
    count = models.BigIntegerField(default=0, db_default=0)
    total_s = models.FloatField(default=0, db_default=0)

    class Meta:
        db_table = "access_latency"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.count} within {self.le} s"


class AccessCheck(models.Model):
    """The last comparison of provider, ledger and panel; one row. *_unknown: asked, and not answered."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    provider_asked = models.PositiveIntegerField(default=0, db_default=0)
    provider_unknown = models.PositiveIntegerField(default=0, db_default=0)
    panel_asked = models.PositiveIntegerField(default=0, db_default=0)
    panel_unknown = models.PositiveIntegerField(default=0, db_default=0)
    compared = models.PositiveIntegerField(default=0, db_default=0)
    opened = models.PositiveIntegerField(default=0, db_default=0)
    closed = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "access_check"
        default_permissions = ()
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="access_check_one")]

    def __str__(self) -> str:
        return f"check of {self.finished_at:%Y-%m-%d %H:%M} UTC"


class AccessDoubt(models.Model):
    """Somebody whose end was moved towards now, so that he may have less than he paid for.

    Written by a trigger on subscriber (migration 0014), taken away by the comparison that finds it over.
    """

    subscriber = models.OneToOneField(
        Subscriber, models.CASCADE, primary_key=True, related_name="+"
    )
    noted_at = models.DateTimeField(db_default=Now())  # by the clock of Postgres

    class Meta:
        db_table = "access_doubt"
        default_permissions = ()

    def __str__(self) -> str:
        return f"doubt about {self.subscriber_id}"


class SubscriberTurn(models.Model):
    """Whose turn it is to change a subscriber in the panel (subscriptions/turns.py). A row that lapses."""

    subscriber = models.OneToOneField(
        Subscriber, models.CASCADE, primary_key=True, related_name="+"
    )
    token = models.UUIDField()
    until = models.DateTimeField()

    class Meta:
        db_table = "subscriber_turn"
        default_permissions = ()

    def __str__(self) -> str:
        return f"turn at {self.subscriber_id}"
