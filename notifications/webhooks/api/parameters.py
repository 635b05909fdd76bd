"""Parameters of a query as values. What does not fit is refused with the name of its field."""

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.dateparse import parse_datetime

from lib.errors import InputInvalid

MOST = 1000  # items per page
_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)


def refused(field: str, why: str) -> InputInvalid:
    return InputInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])


def uuid_read(given: Mapping[str, str], name: str) -> UUID | None:
    try:
        return UUID(given[name]) if given.get(name) else None
    except ValueError:
        raise refused(name, "must be an id") from None


def number_read(given: Mapping[str, str], name: str, most: int = 10**18) -> int | None:
    raw = given.get(name)
    if not raw:
        return None
    if not _WHOLE.fullmatch(raw) or not 1 <= int(raw) <= most:
        raise refused(name, f"must be a whole number from 1 to {most}")
    return int(raw)


def moment_read(given: Mapping[str, str], name: str) -> datetime | None:
    raw = given.get(name)
    if not raw:
        return None
    try:
        moment = parse_datetime(raw)
    except ValueError:
        moment = None
    # At the ends of the calendar no span can be added or taken away.
    if moment is None or moment.tzinfo is None or not 1900 <= moment.year <= 9000:
        raise refused(name, "must be a moment with a time zone, such as 2026-11-22T10:00:00Z")
    return moment
