"""Spans of time as people write them: "30s", "1m", "5 m", "2h", "7d", or a number of seconds."""

import re
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?", re.ASCII)

Duration = timedelta | float | int | str


class DurationInvalid(ValueError):
    """Not a span of time: write a number of seconds or a text such as "30s", "5m", "1h"."""


def parse(value: Duration) -> timedelta:
    """A span from its written form; numbers are seconds. Raises DurationInvalid, also if negative."""
    if isinstance(value, timedelta):
        span = value
    elif isinstance(value, bool):
        raise DurationInvalid(f"{value!r} is not a span of time")
    elif isinstance(value, int | float):
        span = _seconds(value, value)
    elif isinstance(value, str):
        match = _PATTERN.fullmatch(value.strip())
        if match is None:
            raise DurationInvalid(f"{value!r} is not a span of time such as 30s, 5m or 1h")
        span = _seconds(float(match[1]) * _UNITS[match[2] or "s"], value)
    else:
        raise DurationInvalid(f"{value!r} is not a span of time")
    if span < timedelta(0):
        raise DurationInvalid(f"{value!r} is negative")
    return span


def _seconds(count: float, value: object) -> timedelta:
    try:
        return timedelta(seconds=count)
    except (OverflowError, ValueError):  # more than a timedelta holds; not a number
        raise DurationInvalid(f"{value!r} is not a span of time") from None


def parse_many(value: str | list[Duration] | tuple[Duration, ...]) -> tuple[timedelta, ...]:
    """A ladder of spans: "30s 1m 5m" or a list of spans."""
    parts: list[Duration] = list(value.split()) if isinstance(value, str) else list(value)
    return tuple(parse(part) for part in parts)


def words(span: timedelta) -> str:
    """A span in short words, two units at most: "1 h 5 min", "3.2 s"."""
    seconds = span.total_seconds()
    if seconds < 0:
        return "-" + words(-span)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    rest, parts = int(seconds), []
    for name, size in units:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])
