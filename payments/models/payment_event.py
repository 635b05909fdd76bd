"""The story of a payment: every change of state, check, and act of a person, in order."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from payments.models.payment import Payment


class PaymentEvent(models.Model):
    """One line of the story. kind is a short code (payments/words.py says it for people)."""

    id = models.BigAutoField(primary_key=True)
    payment = models.ForeignKey(Payment, models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict, db_default={})  # never a secret
    actor = models.CharField(max_length=150, default="", db_default="")  # a person, or empty
    correlation_id = models.CharField(max_length=128, null=True)

    class Meta:
        db_table = "payment_event"
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["payment", "id"], name="payment_event_story")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M} UTC"
