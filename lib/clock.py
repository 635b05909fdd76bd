"""The one clock of the project.

`now()` is what business rules and `run_at` are compared with; tests and the demo move it with
CLOCK_OFFSET_SECONDS (see `shift`). Leases are decided by Postgres' own clock and are never moved.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

ZERO = timedelta(0)

_offset = timedelta(seconds=float(os.environ.get("CLOCK_OFFSET_SECONDS") or 0))


def now() -> datetime:
    """The present moment, aware, UTC, moved by the offset."""
    return datetime.now(UTC) + _offset


def offset() -> timedelta:
    """How far the clock is moved; zero in production."""
    return _offset


@contextmanager
def shift(by: timedelta) -> Iterator[None]:
    """Move the clock of this process by a span, for tests; nests."""
    global _offset  # noqa: PLW0603 - the clock is the one thing that is global on purpose
    before = _offset
    _offset = before + by
    try:
        yield
    finally:
        _offset = before
