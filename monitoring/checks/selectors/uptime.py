"""Uptime out of spans: how much of each piece of a window a service answered. No database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a service did not answer, or (is_blind) in which nobody looked."""

    began_at: datetime
    ended_at: datetime
    is_blind: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """How far back, in how many pieces."""

    name: str
    title: str
    length: timedelta
    pieces: int


WINDOWS = (
    Window("24h", "24 hours", timedelta(hours=24), 48),
    Window("7d", "7 days", timedelta(days=7), 56),
    Window("30d", "30 days", timedelta(days=30), 30),
)
LONGEST = max(window.length for window in WINDOWS)


@dataclass(slots=True)
class Piece:
    """A part of a window. seen: somebody looked; down: of that, it did not answer."""

    begins_at: datetime
    ends_at: datetime
    seen: timedelta = ZERO
    down: timedelta = ZERO

    @property
    def share(self) -> float | None:
        """Answered, in percent; None: nobody looked."""
        return 100 * (1 - self.down / self.seen) if self.seen else None

    @property
    def tone(self) -> str:
        """ok, some, down or none."""
        if not self.seen:
            return "none"
        if not self.down:
            return "ok"
        return "down" if self.down >= 0.5 * self.seen else "some"


@dataclass(frozen=True, slots=True)
class Uptime:
    """A window cut into pieces, the oldest first."""

    window: Window
    pieces: list[Piece]

    @property
    def share(self) -> float | None:
        """Answered in the whole window, in percent; None: nobody looked."""
        seen = sum((piece.seen for piece in self.pieces), ZERO)
        down = sum((piece.down for piece in self.pieces), ZERO)
        return 100 * (1 - down / seen) if seen else None


def uptime_of(
    window: Window,
    spans: Sequence[Span],
    *,
    now: datetime,
    watched_since: datetime | None,
    watched_until: datetime,
) -> Uptime:
    """Cut the window. Before watched_since and after watched_until nobody looked.

    Where a service was down and nobody looked at once, it was down.
    """
    step = window.length / window.pieces
    begin = now - window.length
    pieces = [
        Piece(begin + step * number, begin + step * (number + 1)) for number in range(window.pieces)
    ]
    if watched_since is None:
        return Uptime(window, pieces)
    for piece in pieces:
        piece.seen = _overlap(piece, watched_since, watched_until)
    for span in spans:
        first = max(0, int((max(span.began_at, watched_since) - begin) / step))
        last = min(window.pieces - 1, int((min(span.ended_at, watched_until) - begin) / step))
        for piece in pieces[first : last + 1]:
            part = _overlap(
                piece, max(span.began_at, watched_since), min(span.ended_at, watched_until)
            )
            if span.is_blind:
                piece.seen = max(ZERO, piece.seen - part)
            else:
                piece.down += part
    for piece in pieces:
        piece.seen = max(piece.seen, piece.down)
    return Uptime(window, pieces)


def _overlap(piece: Piece, begin: datetime, end: datetime) -> timedelta:
    return max(ZERO, min(piece.ends_at, end) - max(piece.begins_at, begin))
