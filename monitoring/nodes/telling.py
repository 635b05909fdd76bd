"""What a look means for people: alerts that follow the rows, and lines of the feed.

Alerts are made of what stands in the rows, not of what changed: whatever was missed once is put right by
the next look, and one that is open is not raised again.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from jobs.alerts import attention
from monitoring.alerts.services import alert_clear, alert_raise, alerts_open
from monitoring.alerts.wording.catalogue import says
from monitoring.alerts.wording.saying import Says
from monitoring.dashboard.events import event_note
from monitoring.nodes.models import Health, Node

OFFLINE, FLAPPING, SILENT = "node_offline", "node_flapping", "node_silent"
PARENT = (
    "panel_unreachable",
    "remnawave",
)  # raised by the checks; it explains whatever we cannot see
SOURCE = "monitoring.check_nodes"
_LINES = 8  # of the feed for one look; then one that says how many


def node_link(pk: UUID) -> str:
    """The page of a server."""
    return reverse("admin:nodes_node_change", args=[pk])


def alerts_write(at: datetime, only: Collection[UUID] | None = None) -> None:
    """Open and resolve alerts so that they say what the rows say. `only`: of these servers.

    Two queries while nothing changes. Removed and disabled servers have no alerts.
    """
    rows = Node.objects.exclude(health__in=[Health.ONLINE, Health.MAINTENANCE])
    rows = (
        rows.filter(removed_at=None) if only is None else rows.filter(pk__in=only, removed_at=None)
    )
    troubled = list(rows.order_by("pk"))
    _rule_write(
        OFFLINE, {str(row.pk): _offline(row, at) for row in troubled if _is_away(row, at)}, at, only
    )
    flapping = {str(row.pk): _flapping(row) for row in troubled if row.flapping_since is not None}
    _rule_write(FLAPPING, flapping, at, only)


def _is_away(row: Node, at: datetime) -> bool:
    """Down, or trying to connect for too long; one that flaps has an alert of its own."""
    if row.flapping_since is not None:
        return False
    is_down = row.health == Health.OFFLINE
    return is_down or at - row.health_since >= settings.NODE_CONNECTING_HOLD


def _rule_write(
    rule: str, wanted: dict[str, Says], at: datetime, only: Collection[UUID] | None
) -> None:
    opened = set(alerts_open(rule).values_list("key", flat=True))
    if only is not None:
        opened &= {str(pk) for pk in only}
    for key in sorted(opened - wanted.keys()):
        alert_clear(rule=rule, key=key, at=at)
    for key in sorted(wanted.keys() - opened):
        alert_raise(
            rule=rule,
            key=key,
            severity="warning",
            says=wanted[key],
            link=node_link(UUID(key)),
            source=SOURCE,
            runbook=rule,
            parent=PARENT,
            at=at,
        )


def _offline(row: Node, at: datetime) -> Says:
    return says(
        "node_offline" if row.health == Health.OFFLINE else "node_offline.connecting",
        name=row.name,
        since=row.health_since,
        lasted=at - row.health_since,
        panel=row.status_message[:300] or None,
    )


def _flapping(row: Node) -> Says:
    return says(
        "node_flapping",
        name=row.name,
        times=len(row.lost_at),
        within=settings.NODE_FLAP_SPAN,
        calm=settings.NODE_FLAP_CALM,
    )


def told_write(
    turned: Sequence[tuple[Node, Health]], added: Sequence[Node], removed: Sequence[Node]
) -> None:
    """Lines of the feed for what is no alert; of a look that changed very many, a last line says so."""
    lines = [
        (f"node_{row.health}", _turned_say(row), row, "info")
        for row, before in turned
        if Health.MAINTENANCE in (before, row.health)
    ]
    lines += [("node_added", f"{row.name} is listed by the panel", row, "info") for row in added]
    lines += [
        ("node_removed", f"{row.name} is no longer listed by the panel", row, "warning")
        for row in removed
    ]
    for kind, title, row, severity in lines[:_LINES]:
        event_note(kind, title, node_link(row.pk), severity)
    if len(lines) > _LINES:
        event_note(
            "nodes_changed",
            f"{len(lines) - _LINES} more servers were added, removed or switched",
            reverse("admin:nodes_node_changelist"),
        )


def gone_tell(removed: Sequence[Node], *, left: int) -> None:
    """One server may be deleted on purpose; if as many are gone as are left, a person should look.

    Their alerts end with them, so an emptied panel would look like a quiet night.
    """
    gone = [row.name for row in removed if row.health != Health.MAINTENANCE]
    if not gone or len(gone) < left:
        return
    named = f"{', '.join(sorted(gone)[:_LINES])}{' and others' if len(gone) > _LINES else ''}"
    attention(
        group="nodes:gone",
        title="Servers are no longer listed by the panel",
        text=f"{len(gone)} are gone at once, {left} are left: {named}. Deleted on purpose, or has the panel "
        "lost its data? Nothing of them is watched any more.",
        severity="critical",
        link=reverse("admin:nodes_node_changelist"),
    )


def _turned_say(row: Node) -> str:
    if row.health == Health.MAINTENANCE:
        return f"{row.name} was taken out of service"
    return f"{row.name} is in service again"
