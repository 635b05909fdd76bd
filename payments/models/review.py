"""Money that does not fit its order: never ignored, never activated wrongly, always with a button."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from payments.models.incoming import IncomingWebhook
from payments.models.payment import Payment


class ReviewReason(models.TextChoices):
    """Why a person must look."""

    LATE = "late", "paid after it was given up"
    UNDER = "under", "paid less than asked"
    OVER = "over", "paid more than asked"
    OTHER_ASSET = "other_asset", "paid in another asset"
    OTHER_ORDER = "other_order", "the invoice names another order"
    UNKNOWN_INVOICE = "unknown_invoice", "paid an invoice that we do not know"
    TWICE = "twice", "paid twice for one period"
    INVOICE_GONE = "invoice_gone", "the provider does not know the invoice any more"
    INVOICE_UNSURE = "invoice_unsure", "nobody knows whether the invoice was made"


class Review(models.Model):
    """One open question about money. facts: what was expected and what came, amounts as strings."""

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(Payment, models.CASCADE, null=True, related_name="reviews")
    webhook = models.ForeignKey(IncomingWebhook, models.SET_NULL, null=True, related_name="+")
    key = models.CharField(max_length=120)  # what it is about: "payment:<id>", "invoice:<number>"
    reason = models.CharField(max_length=20, choices=ReviewReason.choices)
    facts = models.JSONField(default=dict, db_default={})
    opened_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=20, default="", db_default="")
    note = models.CharField(max_length=500, default="", db_default="")
    resolved_by = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        db_table = "payment_review"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_review", "Can settle payments that do not fit")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key", "reason"],
                condition=Q(resolved_at__isnull=True),
                name="payment_review_open_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["-id"], condition=Q(resolved_at__isnull=True), name="payment_review_open"
            ),
            # Whether it was answered before is asked whenever money does not fit.
            models.Index(fields=["key"], name="payment_review_key"),
        ]

    def __str__(self) -> str:
        return self.get_reason_display()
