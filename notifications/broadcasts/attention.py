"""What of the broadcasts needs a person now, for the first page of the console."""

from datetime import timedelta

from django.urls import reverse

from lib import clock
from lib.now import Attention, Severity, attention
from notifications.broadcasts.control import CANARY_FAILED
from notifications.broadcasts.models import Broadcast, Status

PATIENCE = timedelta(seconds=30)
LATELY = timedelta(hours=24)


@attention(order=21, permission="broadcasts.view_broadcast")
def paused_by_itself() -> Attention:
    """Broadcasts that stopped without a person: a canary failed, or Telegram refuses the text."""
    count = (
        Broadcast.objects.filter(status=Status.PAUSED)
        .filter(paused_reason__regex=f"^({CANARY_FAILED}|Telegram refuses)")
        .count()
    )
    return Attention(
        "broadcast stopped by itself" if count == 1 else "broadcasts stopped by themselves",
        count,
        Severity.WARNING,
        f"{_list()}?status=paused",
        "See why; put it right, then resume or cancel.",
    )


@attention(order=22, permission="broadcasts.view_broadcast")
def late_broadcasts() -> Attention:
    """Broadcasts that are due and do not start: no worker runs."""
    count = Broadcast.objects.filter(
        status=Status.SCHEDULED, scheduled_at__lt=clock.now() - PATIENCE
    ).count()
    return Attention(
        "broadcast late" if count == 1 else "broadcasts late",
        count,
        Severity.CRITICAL,
        f"{_list()}?status=scheduled",
        "They are due and do not start: look whether a worker runs.",
        runbook="broadcast_late",
    )


@attention(order=23, permission="broadcasts.view_broadcast")
def unsure_recipients() -> Attention:
    """Broadcasts with people who may or may not have got it: only a person can decide."""
    count = Broadcast.objects.filter(
        status=Status.SENT, unknown__gt=0, finished_at__gte=clock.now() - LATELY
    ).count()
    return Attention(
        "broadcast with unsure recipients" if count == 1 else "broadcasts with unsure recipients",
        count,
        Severity.NOTICE,
        f"{_list()}?status=sent",
        "Telegram did not answer for some: see who, and whether to send it to them again.",
    )


def _list() -> str:
    return reverse("admin:broadcasts_broadcast_changelist")
