"""What the panel says of itself and its people, asked once per picture at most, and how long it took."""

import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jobs.models import Breaker
from lib import clock
from subscriptions.panel import door
from subscriptions.panel.errors import BREAKER, PanelError
from subscriptions.panel.types import PanelStatus

FRESH = timedelta(seconds=20)  # an answer that is younger is used again
SLOW_MS = 5_000  # then it is not asked again at once: pictures come every 30 s, with it or without
REST = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class PanelLook:
    """One look. people: {online, total, active, disabled, limited, expired}, empty if it failed."""

    at: datetime
    latency_ms: float
    error: str = ""
    people: dict[str, Any] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """The form in which a picture keeps it."""
        return {**asdict(self), "at": self.at.isoformat()}


def look_load(kept: dict[str, Any] | None) -> PanelLook | None:
    """The look that a picture keeps; None where it keeps none that we can read."""
    try:
        return PanelLook(**{**kept, "at": datetime.fromisoformat(kept["at"])}) if kept else None
    except (KeyError, TypeError, ValueError):
        return None


def panel_look(last: PanelLook | None) -> PanelLook | None:
    """Ask the panel, unless the last look is to do; None: there is no panel.

    It takes as long as the panel takes, and holds no transaction. A panel that has failed or was slow
    is left alone for REST, one whose breaker is open until that closes.
    """
    if not door.is_on():
        return None
    now = clock.now()
    if last is not None:
        was_bad = bool(last.error) or last.latency_ms >= SLOW_MS
        if abs(now - last.at) < (REST if was_bad else FRESH):
            return last
    breaker = Breaker.objects.filter(pk=BREAKER).exclude(state=Breaker.State.CLOSED).first()
    if breaker is not None:
        return PanelLook(now, 0.0, "its breaker is open")
    began = time.perf_counter()
    try:
        stats = door.panel_background().system_stats()
    except PanelError as exc:
        spent = (time.perf_counter() - began) * 1000
        return PanelLook(now, round(spent, 1), str(exc)[:200] or type(exc).__name__)
    by_status = stats.users_by_status
    return PanelLook(
        now,
        round((time.perf_counter() - began) * 1000, 1),
        people={
            "online": stats.online_now,
            "total": stats.users_total,
            "active": by_status[PanelStatus.ACTIVE],
            "disabled": by_status[PanelStatus.DISABLED],
            "limited": by_status[PanelStatus.LIMITED],
            "expired": by_status[PanelStatus.EXPIRED],
        },
    )
