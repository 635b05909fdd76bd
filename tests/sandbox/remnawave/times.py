"""Moments inside the panel are unix milliseconds, as its answers show them."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

DAY_MS = 86_400_000
# z.string().datetime({ offset: true, local: true }): a date alone is refused.
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")

_EPOCH = date(1970, 1, 1)
_MINUTES = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440)]


@lru_cache(maxsize=1 << 16)
def iso(ms: int) -> str:
    """2026-11-20T12:00:30.123Z."""
    days, rest_ms = divmod(ms, DAY_MS)
    minutes, rest_ms = divmod(rest_ms, 60_000)
    return f"{_day(days)}T{_MINUTES[minutes]}:{rest_ms // 1000:02}.{rest_ms % 1000:03}Z"


@lru_cache(maxsize=1 << 12)
def _day(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).isoformat()


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
