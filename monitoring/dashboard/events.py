"""Noting what everybody who looks at the dashboard should see now."""

from jobs.rows import row_insert
from lib import clock
from monitoring.dashboard.calling import call_after_commit
from monitoring.dashboard.models import EventSeverity, PlatformEvent

_TITLE = 200
_LINK = 300


def event_note(kind: str, title: str, link: str = "", severity: str = "info") -> PlatformEvent:
    """Write a line of the feed in the caller's transaction, and call the screens once it is committed.

    kind: "node_offline"; link: a path of the console, dropped if it is too long to lead anywhere; a
    title that is too long is cut. Repeat: one more line. Raises ValueError for a severity that alerts
    do not have. Locks nothing, and waits for nobody: a call that is lost costs the screens a second.
    """
    event = row_insert(
        PlatformEvent(
            kind=kind[:60],
            title=title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…",
            link=link if len(link) <= _LINK else "",
            severity=EventSeverity(severity),
            at=clock.now(),
        )
    )
    call_after_commit()
    return event
