"""Open alerts, the worst first."""

import re
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.urls import reverse

from lib import clock
from monitoring.alerts.models import Alert, Severity

LISTED = 20
MOST = 1_000  # open alerts are counted no further


def alerts_shown() -> QuerySet[Alert]:
    """Those that are open and not explained by another one that is open, worst and oldest first."""
    rank = Case(
        When(severity=Severity.CRITICAL, then=Value(0)),
        When(severity=Severity.WARNING, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    explained = Q(parent__isnull=False, parent__resolved_at=None)
    return Alert.objects.filter(resolved_at=None).exclude(explained).order_by(rank, "opened_at")


def trouble() -> dict[str, Any]:
    """{open, critical, warning, info, items: [...]}. One query over the open ones."""
    rows = list(alerts_shown()[:MOST])
    return {
        "open": len(rows),
        **{level.value: sum(row.severity == level for row in rows) for level in Severity},
        "items": [_line(row) for row in rows[:LISTED]],
    }


def _line(alert: Alert) -> dict[str, Any]:
    is_silenced = alert.silenced_until is not None and alert.silenced_until > clock.now()
    return {
        "id": str(alert.pk),
        "rule": alert.rule,
        "severity": alert.severity,
        "title": alert.title,
        "count": alert.count,
        "opened_at": alert.opened_at,
        "acked_by": alert.acked_by if alert.acked_at else "",
        "is_silenced": is_silenced,
        "link": reverse("admin:alerts_alert_change", args=[alert.pk]),
        "runbook": _runbook(alert.runbook),
    }


def _runbook(anchor: str) -> str:
    """The page of a section; rules that came from outside may have names that are none."""
    is_anchor = re.fullmatch(r"[\w-]+", anchor, re.ASCII) is not None
    return reverse("admin:runbook_section", args=[anchor]) if is_anchor else ""
