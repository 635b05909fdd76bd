"""Reports: what was said of a day or a week, to whom it was sent, and who wants them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

LANGUAGES = (("en", "English"), ("ru", "Russian"))


class ReportKind(models.TextChoices):
    """Of how long a time."""

    DAILY = "daily", "daily"
    WEEKLY = "weekly", "weekly"


class Report(models.Model):
    """R2: what a day or a week (from Monday) came to, as it was told.

    period: the first day. payload: reports/statistics/reporting/payload.py; it stays as it was sent,
    whatever is computed later. told_at: when it went to the chats; null with a skip_reason: it did not.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=6, choices=ReportKind.choices)
    period = models.DateField()
    payload = models.JSONField()
    made_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    skip_reason = models.CharField(max_length=20, default="", db_default="", blank=True)

    class Meta:
        db_table = "report"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("operate_report", "Can make and send reports, and say who gets them")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "period"], name="report_once"),
            models.CheckConstraint(
                condition=Q(kind__in=ReportKind.values), name="report_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(told_at=None) | Q(skip_reason=""), name="report_told_or_skipped"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-period", "-id"], name="report_latest"),
            models.Index(fields=["kind", "-period"], name="report_latest_of_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} report of {self.period}"


class ReportDelivery(models.Model):
    """A report on its way to one chat. The first (round 0) is once per chat; a person sends more.

    message_ids: rows of notification_queue, a part each, in order.
    """

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(Report, models.CASCADE, related_name="deliveries", db_index=False)
    chat_id = models.BigIntegerField()
    round = models.PositiveIntegerField(default=0, db_default=0)
    language = models.CharField(max_length=2, choices=LANGUAGES)
    message_ids = ArrayField(models.BigIntegerField())
    sent_by = models.CharField(max_length=150, default="", db_default="")  # empty: by itself
    queued_at = models.DateTimeField()

    class Meta:
        db_table = "report_delivery"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["report", "chat_id", "round"], name="report_delivery_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.report_id} to {self.chat_id}"


class ReportSubscription(models.Model):
    """A chat that gets reports, or an admin's chat (ADMIN_TELEGRAM_IDS) that wants others than all."""

    id = models.BigAutoField(primary_key=True)
    chat_id = models.BigIntegerField(unique=True)
    title = models.CharField(max_length=100, default="", db_default="", blank=True)  # for people
    language = models.CharField(max_length=2, choices=LANGUAGES)
    wants_daily = models.BooleanField(default=True, db_default=True)
    wants_weekly = models.BooleanField(default=True, db_default=True)
    created_by = models.CharField(max_length=150, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "report_subscription"
        verbose_name = "subscription to reports"
        verbose_name_plural = "subscriptions to reports"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.title or str(self.chat_id)
