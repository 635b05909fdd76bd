"""When a schedule runs next: intervals and cron expressions of 5 fields, or 6 with seconds first."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from croniter.croniter import CroniterError

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_NAMES = ("minute", "hour", "day", "month", "weekday")


# Extensions of croniter that are drawn anew each time they are read.
_RANDOM = re.compile(r"(?<![a-z])[rh](?![a-z])", re.IGNORECASE)


class CronInvalid(ValueError):
    """Not a cron expression: 5 fields (minute hour day month weekday), or 6 with seconds first."""


def check(expression: str) -> None:
    """Raise CronInvalid, saying what is wrong."""
    fields = expression.split()
    if len(fields) not in {5, 6}:
        raise CronInvalid(
            f"{expression!r} has {len(fields)} fields; write 5 ({' '.join(_NAMES)}), or 6 with seconds first"
        )
    if _RANDOM.search(expression):
        raise CronInvalid(f"{expression!r}: R and H stand for another time at each look")
    try:
        iterator = croniter(
            expression, datetime(2026, 1, 1, tzinfo=UTC), second_at_beginning=len(fields) == 6
        )
        iterator.get_next()
    except (CroniterError, ValueError, KeyError) as exc:
        raise CronInvalid(f"{expression!r}: {exc}") from None


def zone(name: str) -> ZoneInfo:
    """A time zone by name. Raises CronInvalid."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise CronInvalid(f"{name!r} is no time zone") from None


def next_by_cron(expression: str, after: datetime, timezone: str = "UTC") -> datetime:
    """The first moment after `after` that the expression names in its zone; also over a change of DST.

    An hour that clocks go through twice counts once, unless the expression names every hour.
    """
    check(expression)
    local = after.astimezone(zone(timezone))
    fields = expression.split()
    iterator = croniter(expression, local, second_at_beginning=len(fields) == 6)
    found: datetime = iterator.get_next(datetime)
    while found.fold and "*" not in fields[-4]:
        found = iterator.get_next(datetime)
    return found


def next_by_interval(slot: datetime, every: timedelta, now: datetime) -> datetime:
    """The first slot after now on the grid of an earlier slot; missed ones fold into one."""
    missed = max(0, (now - slot) // every)
    return slot + (missed + 1) * every


def words(every: timedelta | None, cron: str, timezone: str = "UTC") -> str:
    """A schedule in plain words, for the admin."""
    if every is not None:
        return _interval_words(every.total_seconds())
    fields = cron.split()
    if len(fields) == 6 and fields[0] == "0":
        fields = fields[1:]
    said = _daily_words(fields, timezone) or _hourly_words(fields) if len(fields) == 5 else None
    return said or f"cron {cron} ({timezone})"


def _interval_words(seconds: float) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"every {name}" if count == 1 else f"every {count} {name}s"
    return f"every {seconds:g} seconds"


def _daily_words(fields: list[str], timezone: str) -> str | None:
    minute, hour, day, month, weekday = fields
    if not (minute.isdigit() and hour.isdigit() and month == "*"):
        return None
    at = f"at {int(hour):02d}:{int(minute):02d} {timezone}"
    if day == weekday == "*":
        return f"every day {at}"
    if day == "*" and weekday in "01234567":
        return f"every {_WEEKDAYS[int(weekday) % 7]} {at}"
    if day.isdigit() and weekday == "*":
        return f"on day {int(day)} of each month {at}"
    return None


def _hourly_words(fields: list[str]) -> str | None:
    minute, hour, *rest = fields
    if rest != ["*", "*", "*"]:
        return None
    if hour == "*" and minute.isdigit():
        return f"every hour at :{int(minute):02d}"
    if hour == "*" and minute.startswith("*/"):
        return f"every {minute[2:]} minutes"
    if hour.startswith("*/") and minute.isdigit():
        return f"every {hour[2:]} hours at :{int(minute):02d}"
    return None
