"""The start page of the admin: numbers, what needs a person, what happened, and who did what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config import runbook
from jobs.models import AuditEntry
from lib import clock
from lib.now import Attention, Figure, figures, gather
from monitoring.alerts.models import Alert
from monitoring.dashboard.models import PlatformEvent
from monitoring.dashboard.picture.trouble import alerts_shown
from monitoring.dashboard.viewers import PERMISSION as SEES_EVENTS

LATELY = 8  # events, and acts of people
LOOKED = 1_000  # entries of the audit log, most of which the platform wrote
ALERTS = 6
WIDTH, HEIGHT = 120, 28  # of a small line, in units of its picture


@dataclass(frozen=True)
class Card:
    """Something with the address of its runbook section, if it has one; of a figure, its lines."""

    item: Figure | Attention | Alert
    runbook: str
    line: str = ""
    before: str = ""

    @property
    def area(self) -> str:
        """The line as a surface."""
        if not self.line:
            return ""
        return f"0,{HEIGHT} {self.line} {self.line.rsplit(' ', 1)[-1].split(',')[0]},{HEIGHT}"


def now_context(request: HttpRequest) -> dict[str, Any]:
    """What templates/admin/now.html needs. Costs what the registered sources cost, and three queries."""
    user: Any = request.user
    return {
        "now": clock.now(),
        "strip": [_figure(item) for item in figures(user)],
        "attention": [Card(item, _address(item.runbook)) for item in gather(user)],
        "events": list(PlatformEvent.objects.order_by("-id")[:LATELY])
        if user.has_perm(SEES_EVENTS)
        else None,
        "acts": _acts() if user.has_perm("jobs.view_auditentry") else None,
        "alerts": [Card(row, _address(row.runbook)) for row in alerts_shown()[:ALERTS]]
        if user.has_perm("alerts.view_alert")
        else None,
    }


def _acts() -> list[AuditEntry]:
    """What people did, and not the platform by itself, of the last LOOKED entries. One query."""
    lately = AuditEntry.objects.order_by("-id").values("pk")[:LOOKED]
    found = AuditEntry.objects.filter(pk__in=lately, account__isnull=False)
    return list(found.order_by("-id")[:LATELY])


def _figure(item: Figure) -> Card:
    highest = max([*item.spark, *item.before], default=0.0)
    steps = max(len(item.spark), len(item.before))
    return Card(
        item,
        _address(item.runbook),
        _points(item.spark, steps, highest),
        _points(item.before, steps, highest),
    )


def _points(values: Sequence[float], steps: int, highest: float) -> str:
    """The corners of a line, for a polyline; nothing for what is no line."""
    if len(values) < 2 or highest <= 0:
        return ""
    step = WIDTH / (steps - 1)
    return " ".join(
        f"{place * step:.1f},{HEIGHT - 2 - value / highest * (HEIGHT - 4):.1f}"
        for place, value in enumerate(values)
    )


def _address(anchor: str) -> str:
    """The page of a section of the runbook; nothing for a section that is not there."""
    if anchor not in runbook.sections():
        return ""
    return reverse("admin:runbook_section", args=[anchor])
