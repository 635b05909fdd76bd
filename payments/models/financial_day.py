"""What a day earned, by plan, provider and currency (UTC days)."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class FinancialDay(models.Model):
    """One line of a day. Computing a day again replaces its lines by the same ones.

    currency is that of the order; revenue and average in it. net and fee are in paid_asset, usd is
    revenue at the rate that the provider named, null where it named none.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    provider = models.CharField(max_length=20)
    plan_code = models.CharField(max_length=40)
    currency = models.CharField(max_length=12)
    paid_asset = models.CharField(max_length=12, default="", db_default="")
    completed = models.PositiveIntegerField()
    refunded = models.PositiveIntegerField(default=0, db_default=0)
    failed = models.PositiveIntegerField(default=0, db_default=0)  # in lines without a paid_asset
    revenue = models.DecimalField(max_digits=38, decimal_places=12)
    refunds = models.DecimalField(max_digits=38, decimal_places=12, default=0, db_default=0)
    average = models.DecimalField(max_digits=38, decimal_places=12)
    fee = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    net = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    usd = models.DecimalField(max_digits=38, decimal_places=12, null=True)
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "financial_day"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["day", "provider", "plan_code", "currency", "paid_asset"],
                name="financial_day_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.revenue.normalize():f} {self.currency}"
