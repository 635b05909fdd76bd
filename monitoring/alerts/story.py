"""The story of an alert: a line for whatever happens to it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from jobs.audit import Account
from lib import clock
from monitoring.alerts.models import Alert, AlertEvent, EventKind


def line_write(
    alert: Alert, kind: EventKind, *, by: str = "", at: datetime | None = None, **details: Any
) -> None:
    """Add a line, in the caller's transaction."""
    lines_write([alert], kind, by=by, at=at, **details)


def lines_write(
    alerts: Iterable[Alert],
    kind: EventKind,
    *,
    by: str = "",
    at: datetime | None = None,
    **details: Any,
) -> None:
    """Add the same line to each, by one statement."""
    moment = at or clock.now()
    AlertEvent.objects.bulk_create(
        AlertEvent(alert=alert, kind=kind, by=by[:150], details=details, at=moment)
        for alert in alerts
    )


def who(by: Account, name: str = "") -> str:
    """How a person is called in the story. name: of somebody without an account here."""
    if name:
        return name[:150]
    username = by.get_username() if by is not None and by.pk is not None else ""
    return str(username)[:150]
