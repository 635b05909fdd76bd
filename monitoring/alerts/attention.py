"""What of the alerts needs a person now, for the first page of the console."""

from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse

from lib import clock
from lib.now import Attention, Severity, attention
from monitoring.alerts.links import path_of
from monitoring.alerts.models import Alert
from monitoring.alerts.models import Severity as Level

MOST = 1000  # rows are counted no further
NAMED = 3  # these have a card of their own


@attention(order=1, permission="alerts.view_alert")
def critical_alerts() -> Iterator[Attention]:
    """Critical alerts that nobody has taken: a card each, or one for many."""
    now = clock.now()
    found = Alert.objects.filter(
        Q(parent=None) | Q(parent__resolved_at__isnull=False),
        Q(silenced_until=None) | Q(silenced_until__lte=now),
        severity=Level.CRITICAL,
        resolved_at=None,
        acked_at=None,
    ).order_by("opened_at")
    rows = list(found[: NAMED + 1])
    if len(rows) <= NAMED:
        for row in rows:
            since = f"Since {row.opened_at:%Y-%m-%d %H:%M} UTC."
            yield Attention(
                row.title,
                1,
                Severity.CRITICAL,
                path_of(row),
                f"{since} Acknowledge it and look.",
                row.runbook,
            )
        return
    yield Attention(
        "critical alerts that nobody has taken",
        found[:MOST].count(),
        Severity.CRITICAL,
        f"{reverse('admin:alerts_alert_changelist')}?severity=critical&state=open",
        "Acknowledge those that you work on; the runbook of each says what to do.",
    )
