"""The page of one server: how it is, how it was, what is wrong, what was changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from jobs.models import AuditEntry
from lib import clock
from monitoring.alerts.models import Alert
from monitoring.nodes.acts import node_get
from monitoring.nodes.models import Health, Node, NodeConfigChange, NodeState
from monitoring.nodes.screens.listing import NodeLine, Span, nodes_lines, strips_of
from monitoring.nodes.selectors import (
    HourLine,
    Incident,
    RawLine,
    bandwidth_hours,
    bandwidth_raw,
    incidents,
)
from monitoring.nodes.telling import SILENT
from monitoring.nodes.words import NODE

RAW = timedelta(hours=48)
HOURS = timedelta(days=30)
SHOWN = 12  # lines of a table
STRIP = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, as a sentence, and what to do. level: 3 now, 2 soon, 1 good to know."""

    level: int
    icon: str
    what: str
    means: str
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class NodeScreen:
    """Everything of the page."""

    row: Node
    line: NodeLine
    troubles: list[Trouble]
    week: list[Span]
    raw: list[RawLine]
    hours: list[HourLine]
    states: list[NodeState]
    incidents: list[Incident]
    changes: list[NodeConfigChange]
    alerts: list[Alert]
    acts: list[AuditEntry]
    now: datetime


def node_screen(node_id: UUID) -> NodeScreen:
    """The page of a server. Seventeen queries, however long its history. Raises NodeUnknown."""
    row, now = node_get(node_id), clock.now()
    alerts = list(Alert.objects.filter(key=str(row.pk)).order_by("-opened_at")[:SHOWN])
    return NodeScreen(
        row=row,
        line=nodes_lines([row])[0],
        troubles=list(_troubles(row, alerts, now)),
        week=strips_of([row.pk], now - STRIP, now).get(row.pk, []),
        raw=bandwidth_raw(now - RAW, now, row.pk),
        hours=bandwidth_hours(now - HOURS, now, row.pk),
        states=list(NodeState.objects.filter(node=row).order_by("-began_at", "-pk")[:SHOWN]),
        incidents=incidents(now - HOURS, now, row.pk)[:SHOWN],
        changes=list(NodeConfigChange.objects.filter(node=row).order_by("-at")[:SHOWN]),
        alerts=alerts,
        acts=list(
            AuditEntry.objects.filter(object_type=NODE, object_id=str(row.pk)).order_by("-id")[
                :SHOWN
            ]
        ),
        now=now,
    )


def _troubles(row: Node, alerts: list[Alert], now: datetime) -> list[Trouble]:
    found = []
    if row.removed_at is not None:
        found.append(
            Trouble(1, "link_off", "The panel no longer lists this server.",
                    "Its history stays for as long as histories are kept.")
        )  # fmt: skip
        return found
    if row.flapping_since is not None:
        found.append(
            Trouble(2, "swap_vert", "It comes and goes.",
                    f"Lost {len(row.lost_at)} times in a short while. It counts again once it has "
                    "stood still.", "node_flapping")
        )  # fmt: skip
    elif row.health == Health.OFFLINE:
        found.append(
            Trouble(3, "cloud_off", "The panel cannot reach it; nobody gets through it.",
                    row.status_message or "The panel says no more.", "node_offline")
        )  # fmt: skip
    elif row.health == Health.WARNING:
        found.append(
            Trouble(2, "sync_problem", "The panel tries to connect to it.",
                    row.status_message or "The panel says no more.", "node_offline")
        )  # fmt: skip
    elif row.health == Health.MAINTENANCE:
        found.append(
            Trouble(
                1, "build", "It is switched off by a person.", "Enable it to let it serve again."
            )
        )
    found += [
        Trouble(3, "hearing_disabled", alert.title, alert.text, SILENT)
        for alert in alerts
        if alert.rule == SILENT and alert.resolved_at is None
    ]
    if now - row.checked_at > settings.NODE_CHECK_EVERY * 3:
        found.append(
            Trouble(2, "visibility_off", "Nobody has seen it for a while.",
                    "The panel does not answer, so this page shows how it was then.",
                    "panel_unreachable")
        )  # fmt: skip
    return found
