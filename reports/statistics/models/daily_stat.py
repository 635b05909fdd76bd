"""A day in figures, kept for as long as the business wants to look back."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class DailyStat(models.Model):
    """R1: one UTC day. Computed twice it is the same; is_final once the day is over for good.

    users_*: at the end of the day; revenue: {currency: decimal text}; revenue_by_plan and _by_provider:
    [{name, currency, amount, payments}]; nodes: [{uuid, name, bytes, uptime, incidents}]; operations:
    {verb of the audit log: count}; errors: [{text, count}].
    """

    day = models.DateField(primary_key=True)
    users_active = models.IntegerField()
    users_disabled = models.IntegerField()
    users_expired = models.IntegerField()
    users_limited = models.IntegerField()
    users_new = models.IntegerField()
    users_lost = models.IntegerField()  # ended that day and not renewed by its end
    users_online_max = models.IntegerField(null=True)
    traffic_bytes = models.BigIntegerField()
    uptime = models.FloatField(null=True)  # 0 to 1 over all servers, maintenance left out
    payments_count = models.IntegerField()
    revenue = models.JSONField()
    revenue_by_plan = models.JSONField()
    revenue_by_provider = models.JSONField()
    nodes = models.JSONField()
    incidents = models.JSONField()
    operations = models.JSONField()
    errors = models.JSONField()
    messages_sent = models.IntegerField()
    messages_failed = models.IntegerField()
    api_latency_ms = models.FloatField(null=True)
    is_final = models.BooleanField(default=False, db_default=False)
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "daily_stat"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(uptime=None) | Q(uptime__range=(0, 1)), name="daily_stat_uptime_share"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}"
