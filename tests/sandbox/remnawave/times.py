"""Moments inside the panel are unix milliseconds, as its answers show them."""

import re
from datetime import UTC, datetime

DAY_MS = 86_400_000
# z.string().datetime({ offset: true, local: true }): a date alone is refused.
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")


def iso(ms: int) -> str:
    """2026-11-20T12:00:30.123Z."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"


def iso_or_none(ms: int | None) -> str | None:
    return None if ms is None else iso(ms)


def read_iso(text: str) -> int:
    """Unix milliseconds of an ISO date with time; without a zone UTC is meant. Raises ValueError."""
    if not _ISO.fullmatch(text):
        raise ValueError("Invalid ISO datetime")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
