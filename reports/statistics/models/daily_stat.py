"""A day in figures, kept for as long as the business wants to look back."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class UsersSource(models.TextChoices):
    """From where it is known how many there were of whom at the end of a day."""

    UNKNOWN = "", "not known"
    COUNTED = "counted", "counted at the end of the day"
    STORY = "story", "worked out from the story of each subscriber"
    EARLIER = "earlier", "counted earlier that day"


class DailyStat(models.Model):
    """R1: one UTC day that is over. Computed twice it is the same.

    A null says that it cannot be told any more, or never could: 0 is a figure. is_final: all that
    belongs to the day has come in; it is then computed anew only if a person asks.

    users_*: at users_at, by users_source. lost: whose time ended that day and was not renewed by its
    end, and who left the panel with time left. revenue, refunds: {currency: decimal text}.
    revenue_by_plan and _by_provider: [{code, name, currency, amount, refunds, payments, refunded}].
    paying, run_rate ({currency: decimal text}): whose paid time covers the end of the day, and what
    they pay per 30 days. nodes: [{uuid, name, bytes, uptime, incidents, down_s}]. incidents: [{what,
    name, began_at, ended_at, text}], ended_at null: beyond the day. operations: {verb of the audit log:
    count}. errors: [{text, count}].
    """

    day = models.DateField(primary_key=True)
    users_active = models.IntegerField(null=True)
    users_disabled = models.IntegerField(null=True)
    users_expired = models.IntegerField(null=True)
    users_limited = models.IntegerField(null=True)
    users_source = models.CharField(
        max_length=8, choices=UsersSource.choices, default="", db_default="", blank=True
    )
    users_at = models.DateTimeField(null=True)
    users_new = models.IntegerField()
    users_lost = models.IntegerField(null=True)
    users_online_max = models.IntegerField(null=True)
    traffic_bytes = models.BigIntegerField(null=True)
    uptime = models.FloatField(null=True)  # 0 to 1 over all servers, maintenance left out
    payments_count = models.IntegerField()
    payments_failed = models.IntegerField(default=0, db_default=0)  # not paid in time
    payments_refunded = models.IntegerField(default=0, db_default=0)
    payers_new = models.IntegerField(default=0, db_default=0)  # who paid for the first time
    payers_again = models.IntegerField(default=0, db_default=0)
    revenue = models.JSONField()
    refunds = models.JSONField(default=dict, db_default={})
    revenue_by_plan = models.JSONField()
    revenue_by_provider = models.JSONField()
    paying = models.IntegerField(default=0, db_default=0)
    run_rate = models.JSONField(default=dict, db_default={})
    nodes = models.JSONField()
    incidents = models.JSONField()
    operations = models.JSONField(null=True)
    errors = models.JSONField(null=True)
    errors_count = models.IntegerField(null=True)
    messages_sent = models.IntegerField(null=True)
    messages_failed = models.IntegerField(null=True)
    api_latency_ms = models.FloatField(null=True)
    is_final = models.BooleanField(default=False, db_default=False)
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "daily_stat"
        verbose_name = "day"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_dailystat", "Can have days computed")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(uptime=None) | Q(uptime__range=(0, 1)), name="daily_stat_uptime_share"
            ),
            models.CheckConstraint(
                condition=Q(users_source="", users_active=None, users_at=None)
                | (~Q(users_source="") & Q(users_active__isnull=False, users_at__isnull=False)),
                name="daily_stat_users_have_a_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}"

    @property
    def users_total(self) -> int | None:
        """All of them, whatever their status."""
        parts = (self.users_active, self.users_disabled, self.users_expired, self.users_limited)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None
