"""What of the life cycle needs a person now, for the first page of the console."""

from datetime import timedelta

from django.urls import reverse

from lib import clock
from lib.now import Attention, Severity, attention
from subscriptions.models import Notice, NoticeState, Sweep, SweepItem, SweepSettings, SweepState

PATIENCE = timedelta(hours=2)
COUNTED = 1_000
SWEEPS = "subscriptions.view_sweep"


@attention(order=31, permission=SWEEPS)
def held_sweeps() -> Attention:
    """Sweeps that the brake holds."""
    count = Sweep.objects.filter(state=SweepState.HELD).count()
    return Attention(
        "sweep held by the brake" if count == 1 else "sweeps held by the brake",
        count,
        Severity.CRITICAL,
        f"{reverse('admin:subscriptions_sweep_changelist')}?state=held",
        "It would cut unusually many people. Look at who they are, then approve or refuse.",
        runbook="sweep_held",
    )


@attention(order=32, permission="subscriptions.view_notice")
def late_notices() -> Attention:
    """People who should have been told long ago: the panel gives no answer about them."""
    waiting = Notice.objects.filter(
        state=NoticeState.DUE, created_at__lt=clock.now() - PATIENCE
    ).order_by()
    count = waiting.values("pk")[:COUNTED].count()
    return Attention(
        "late reminder" if count == 1 else "late reminders",
        count,
        Severity.WARNING,
        f"{reverse('admin:subscriptions_notice_changelist')}?state=due",
        "The panel is asked before anybody is told, and does not answer.",
        runbook="notices_late",
    )


@attention(order=33, permission=SWEEPS)
def conflicting_subscribers() -> Attention:
    """People whom a sweep leaves alone, because the panel knows somebody else under their number."""
    week = clock.now() - timedelta(days=7)
    count = SweepItem.objects.filter(
        sweep__started_at__gte=week, reason__in=["held_by_another", "other_person"]
    ).count()
    return Attention(
        "subscriber mixed up" if count == 1 else "subscribers mixed up",
        count,
        Severity.WARNING,
        reverse("admin:subscriptions_sweep_changelist"),
        "The panel has another person under their number: they are neither told nor cut.",
    )


@attention(order=34, permission=SWEEPS)
def observing_sweeps() -> Attention:
    """Sweeps that only observe: good for a week, bad for ever."""
    count = SweepSettings.objects.filter(is_observing=True).count()
    return Attention(
        "sweep only observes" if count == 1 else "sweeps only observe",
        count,
        Severity.NOTICE,
        reverse("admin:subscriptions_sweep_changelist"),
        "They compute whom they mean, and do nothing.",
    )
