"""Lines of a table of subscribers to import: what each says, or why it cannot be used."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, BinaryIO

from django.utils.dateparse import parse_date, parse_datetime

from lib import clock
from lib.tables import TableInvalid, columns_find, table_rows
from subscriptions.bulk.files import FileInvalid

GIB = 1024**3
DAYS_MOST = 3650
_DAY_END = time(23, 59, 59)

_COLUMNS = {
    "username": {"username", "login", "name", "user"},
    "expire_at": {"expireat", "expires", "expiresat", "until", "expiry"},
    "days": {"days", "perioddays"},
    "telegram_id": {"telegramid", "tgid", "telegram", "chatid", "tg"},
    "plan": {"plan", "plancode", "tariff"},
    "tag": {"tag"},
    "email": {"email", "mail"},
    "description": {"description", "comment"},
    "traffic_gb": {"trafficgb", "trafficlimitgb", "limitgb"},
    "language": {"language", "lang"},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One usable line. wanted: JSON, only what the line says; expire_at as ISO, traffic in bytes."""

    number: int
    username: str
    wanted: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reject:
    """One line that is not taken."""

    number: int
    text: str
    reason: str


def entries_read(file: BinaryIO, plans: Mapping[str, int]) -> Iterator[Entry | Reject]:
    """The lines, in their order. plans: code -> days of a period.

    A date without a time means its end in UTC; days count from now. Raises FileInvalid for a file that
    is no such table, also amid the reading.
    """
    places: dict[str, int] = {}
    seen: dict[str, int] = {}
    try:
        for number, cells in table_rows(file):
            if not places:
                places = columns_find(cells, _COLUMNS)
                if "username" not in places:
                    raise FileInvalid(f"there is no column username; there are {', '.join(cells)}")
                continue
            given = {
                name: cells[at] for name, at in places.items() if at < len(cells) and cells[at]
            }
            try:
                entry, why = _entry(number, given, plans), ""
            except ValueError as exc:
                entry, why = None, str(exc)
            if entry is not None and (first := seen.setdefault(entry.username, number)) != number:
                entry, why = None, f"line {first} names the same user"
            yield entry or Reject(number, ", ".join(cells)[:300], why)
    except TableInvalid as exc:
        raise FileInvalid(str(exc)) from None
    if not places:
        raise FileInvalid("the file is empty")


def _entry(number: int, given: Mapping[str, str], plans: Mapping[str, int]) -> Entry:
    username = given.get("username", "")
    if not re.fullmatch(r"[a-zA-Z0-9_-]{3,36}", username):
        raise ValueError("a username has 3 to 36 letters, digits, _ or -")
    wanted: dict[str, Any] = {}
    for name, read in _READERS.items():
        if name in given:
            wanted[name] = read(given[name])
    plan = wanted.get("plan")
    if plan is not None and plan not in plans:
        raise ValueError(f"there is no plan {plan!r}")
    days = wanted.pop("days", None)
    if "expire_at" in wanted and days is not None:
        raise ValueError("give expire_at or days, not both")
    if "expire_at" not in wanted:
        days = days or (plans[plan] if plan else None)
        if days is not None:
            wanted["expire_at"] = (clock.now() + timedelta(days=days)).isoformat()
    return Entry(number, username, wanted)


def _moment(text: str) -> str:
    try:
        day = parse_date(text) if len(text) == len("2026-12-31") else None
        found = datetime.combine(day, _DAY_END, UTC) if day else parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"{text[:40]!r} is no date such as 2026-12-31 or 2026-12-31T18:00:00Z")
    if found.tzinfo is None:
        raise ValueError("a moment needs its time zone, such as 2026-12-31T18:00:00Z")
    return found.astimezone(UTC).isoformat()


def _whole(least: int, most: int, what: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,19}", text, re.ASCII) or not least <= int(text) <= most:
            raise ValueError(f"{what} must be a whole number from {least} to {most}")
        return int(text)

    return read


def _matching(pattern: str, why: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(why)
        return text

    return read


def _text(text: str) -> str:
    if len(text) > 1000:
        raise ValueError("a description has 1,000 characters at most")
    return text


def _bytes(text: str) -> int:
    return _whole(0, 1_000_000, "traffic_gb")(text) * GIB


_READERS: dict[str, Callable[[str], Any]] = {
    "expire_at": _moment,
    "days": _whole(1, DAYS_MOST, "days"),
    "telegram_id": _whole(1, 2**52, "telegram_id"),
    "plan": _matching(r"[a-z0-9_.-]{1,40}", "a plan is named by its code"),
    "tag": _matching(r"[A-Z0-9_]{1,16}", "a tag has up to 16 capitals, digits or _"),
    "email": _matching(r"[^@\s]{1,64}@[^@\s]{1,255}", "that is no email address"),
    "description": _text,
    "traffic_gb": _bytes,
    "language": _matching(r"(en|ru)", "a language is en or ru"),
}
