"""What is sold, and for how much: prices have a history, and an order keeps a copy of its own."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from payments.models import CurrencyType


class Plan(models.Model):
    """A plan. Traffic in bytes, 0 = unlimited; empty squads: those that the subscriber has stay.

    resets_traffic: our monthly job sets the counter to zero, of subscribers whose panel never does.
    """

    id = models.BigAutoField(primary_key=True)
    code = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=120)
    title_ru = models.CharField(max_length=120, default="", db_default="", blank=True)
    period_days = models.PositiveIntegerField()
    traffic_limit_bytes = models.BigIntegerField(default=0, db_default=0)
    traffic_limit_strategy = models.CharField(
        max_length=13, default="NO_RESET", db_default="NO_RESET"
    )
    resets_traffic = models.BooleanField(default=True, db_default=True)
    device_limit = models.PositiveIntegerField(null=True, blank=True)
    squads = ArrayField(models.UUIDField(), default=list, db_default=[], blank=True)
    tag = models.CharField(max_length=16, default="", db_default="", blank=True)  # in the panel
    position = models.IntegerField(default=0, db_default=0)
    is_active = models.BooleanField(default=True, db_default=True)  # may be bought anew
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "subscription_plan"
        default_permissions = ("view", "add", "change")
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(period_days__gt=0), name="plan_period_positive"),
            models.CheckConstraint(
                condition=Q(traffic_limit_bytes__gte=0), name="plan_traffic_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Price(models.Model):
    """What a plan costs in one currency from a moment on; valid_to is null for the current one."""

    id = models.BigAutoField(primary_key=True)
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="prices")
    currency_type = models.CharField(max_length=6, choices=CurrencyType.choices)
    currency = models.CharField(max_length=12)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    accepted_assets = ArrayField(
        models.CharField(max_length=12), default=list, db_default=[], blank=True
    )
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        db_table = "subscription_price"
        default_permissions = ("view", "add")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["plan", "currency"],
                condition=Q(valid_to__isnull=True),
                name="price_current_once",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="price_positive"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="price_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency}"
