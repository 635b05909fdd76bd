"""How far a long operation is: the one shape that the page, the socket and the API show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from lib import clock


class Stage(StrEnum):
    """Where an operation stands, whatever words its kind has for that."""

    WAITING = "waiting"  # not begun, or not counted yet
    RUNNING = "running"
    PAUSED = "paused"
    OVER = "over"  # nothing will change any more unless a person acts


@dataclass(frozen=True, slots=True)
class Reason:
    """Why so many have no good end. fate: failed, skipped or unknown; it gives the colour."""

    text: str
    count: int
    fate: str = "failed"


@dataclass(frozen=True, slots=True)
class Part:
    """A share of the operation that people tell apart, such as a channel."""

    title: str
    total: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One look at an operation.

    total = done + failed + skipped + unknown + what is still open; total is None until it is known.
    rate_per_s and eta_s may be None: then they are reckoned from the looks before (jobs.progress.pace).
    reasons: why things failed or were skipped, most frequent first. actions: names of the acts of the
    kind that make sense now. note: one sentence about the state. link: the page that says more.
    """

    id: UUID
    kind: str
    title: str
    state: str
    stage: Stage
    total: int | None = None
    done: int = 0
    failed: int = 0
    skipped: int = 0
    unknown: int = 0
    rate_per_s: float | None = None
    eta_s: float | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    reasons: Sequence[Reason] = ()
    actions: Sequence[str] = ()
    parts: Sequence[Part] = ()
    unit: str = "items"
    note: str = ""
    link: str = ""

    @property
    def settled(self) -> int:
        """How many have their fate."""
        return self.done + self.failed + self.skipped + self.unknown

    @property
    def percent(self) -> float | None:
        """From 0 to 100, rounded down to a tenth so that 100 means all; None while total is unknown."""
        if self.total is None:
            return None
        if self.total <= 0:
            return 100.0 if self.stage is Stage.OVER else 0.0
        return min(1000, self.settled * 1000 // self.total) / 10


def snapshot_body(
    progress: Progress, *, rate_per_s: float | None, eta_s: float | None
) -> dict[str, Any]:
    """The JSON of a snapshot, with the rate that is to be shown."""
    return {
        "id": str(progress.id),
        "kind": progress.kind,
        "title": progress.title,
        "state": progress.state,
        "stage": progress.stage.value,
        "total": progress.total,
        "done": progress.done,
        "failed": progress.failed,
        "skipped": progress.skipped,
        "unknown": progress.unknown,
        "percent": progress.percent,
        "rate_per_s": None if rate_per_s is None else round(rate_per_s, 2),
        "eta_s": None if eta_s is None else round(eta_s),
        "started_at": progress.started_at,
        "finished_at": progress.finished_at,
        "reasons": [
            {"text": reason.text, "count": reason.count, "fate": reason.fate}
            for reason in progress.reasons
        ],
        "parts": [
            {
                "title": part.title,
                "total": part.total,
                "done": part.done,
                "failed": part.failed,
                "skipped": part.skipped,
                "unknown": part.unknown,
            }
            for part in progress.parts
        ],
        "actions": list(progress.actions),
        "unit": progress.unit,
        "note": progress.note,
        "link": progress.link,
    }


def whole_rate(progress: Progress) -> tuple[float | None, float | None]:
    """(rate per second, seconds to go) from the beginning on; (None, None) where that says nothing."""
    if progress.rate_per_s is not None:
        return progress.rate_per_s, progress.eta_s
    if progress.started_at is None or not progress.settled:
        return None, None
    until = progress.finished_at or clock.now()
    spent = (until - progress.started_at).total_seconds()
    if spent <= 0:
        return None, None
    rate = progress.settled / spent
    return rate, eta_of(progress, rate)


def eta_of(progress: Progress, rate_per_s: float) -> float | None:
    """Seconds until all have their fate, if it goes on like this; None unless it runs."""
    if progress.stage is not Stage.RUNNING or progress.total is None or rate_per_s <= 0:
        return None
    return max(0, progress.total - progress.settled) / rate_per_s
