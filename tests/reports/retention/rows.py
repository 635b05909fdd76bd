"""Rows of any age, as their owners write them."""

from datetime import timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.utils.timezone import now

from jobs.models import AuditEntry
from notifications.telegram.models import QueuedMessage
from payments.models import IncomingWebhook, Intake
from reports.retention.models import RetentionRun


def ago(days: float) -> Any:
    return now() - timedelta(days=days)


def message_make(days: float, status: str = "sent", **changes: Any) -> QueuedMessage:
    ended = {"sent": "sent_at", "failed": "failed_at"}.get(status)
    given = {
        "telegram_id": 7, "message": "hello", "status": status, "created_at": ago(days),
        "scheduled_at": ago(days), **({ended: ago(days)} if ended else {}), **changes,
    }  # fmt: skip
    return QueuedMessage.objects.create(**given)


def webhook_make(days: float, state: Intake = Intake.PROCESSED, **changes: Any) -> IncomingWebhook:
    given = {
        "source": "cryptobot", "body": b"{}", "state": state, "received_at": ago(days), **changes,
    }  # fmt: skip
    return IncomingWebhook.objects.create(**given)


def audit_make(days: float) -> AuditEntry:
    return AuditEntry.objects.create(
        at=ago(days),
        account_name="somebody",
        action="jobs.cancel",
        object_type="job",
        object_id="1",
    )


def log_make(days: float, user: User) -> LogEntry:
    return LogEntry.objects.create(
        user=user, content_type=ContentType.objects.get_for_model(User), object_id="1",
        object_repr="x", action_flag=CHANGE, action_time=ago(days),
    )  # fmt: skip


def run_of(kind: str) -> RetentionRun:
    """The latest run of a kind."""
    run = RetentionRun.objects.filter(kind=kind).order_by("-id").first()
    assert run is not None
    return run
