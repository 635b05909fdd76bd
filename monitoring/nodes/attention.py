"""What of the servers needs a person now, for the first page of the console."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Max
from django.urls import reverse

from lib import clock
from lib.now import Attention, Severity, attention
from monitoring.alerts.services import alerts_open
from monitoring.nodes.models import Health, Node
from monitoring.nodes.telling import OFFLINE, PARENT, SILENT
from subscriptions.panel import door

STALE = 3  # looks that are missing


@attention(order=4, permission="nodes.view_node")
def away_servers() -> Iterator[Attention]:
    """Servers that do not serve although nobody has switched them off. Two queries."""
    listed = Node.objects.filter(removed_at=None)
    names = list(
        listed.filter(health__in=[Health.OFFLINE, Health.WARNING])
        .order_by("health_since")
        .values_list("name", flat=True)[:100]
    )
    page = reverse("admin:nodes_node_changelist")
    yield Attention(
        "server does not serve" if len(names) == 1 else "servers do not serve",
        len(names),
        Severity.CRITICAL,
        f"{page}?state=troubled",
        f"{', '.join(names[:3])}{' and others' if len(names) > 3 else ''}: see what the panel says, "
        "then restart it there or at its provider.",
        runbook=OFFLINE,
    )
    silent = alerts_open(SILENT).count()
    yield Attention(
        "server is silent" if silent == 1 else "servers are silent",
        silent,
        Severity.CRITICAL,
        f"{page}?state=silent",
        "The panel says online, and far fewer people than usual get through.",
        runbook=SILENT,
    )


@attention(order=5, permission="nodes.view_node")
def unseen_servers() -> Attention | None:
    """Nobody has looked at servers for a while: what the console shows of them is old. One query."""
    if not door.is_on():
        return None
    last = Node.objects.filter(removed_at=None).aggregate(last=Max("checked_at"))["last"]
    patience: timedelta = settings.NODE_CHECK_EVERY * STALE
    is_old = last is not None and clock.now() - last > patience
    return Attention(
        "view of the servers that is old",
        int(is_old),
        Severity.WARNING,
        reverse("admin:nodes_node_changelist"),
        f"Last looked at {last:%Y-%m-%d %H:%M} UTC: the panel is away, or no worker runs."
        if last
        else "",
        runbook=PARENT[0],
    )
