"""`limit` and `cursor` of lists. A cursor is the key of the last item that was seen: the position of a
message, the number of a participant, the last activity and the id of a dialog."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter

from notifications.conversations.people import refused
from notifications.conversations.selectors.listing import PAGE, Place

MOST = 200  # items per page
LIMIT = OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}.")
CURSOR = OpenApiParameter("cursor", str, description="`next_cursor` of the page before.")
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_BAD_CURSOR = "is not one that we gave"
_PLACE = re.compile(r"([0-9]{1,17})\.([0-9a-f]{32})", re.ASCII)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def limit_read(given: Any) -> int:
    """`limit` of a query. Raises ConversationInvalid."""
    raw = given.get("limit") or str(PAGE)
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 4 and 1 <= int(raw) <= MOST):
        raise refused("limit", f"must be a whole number from 1 to {MOST}")
    return int(raw)


def place_read(cursor: str | None) -> Place | None:
    """Where the page before has ended; None: the first page. Raises ConversationInvalid."""
    if not cursor:
        return None
    found = _PLACE.fullmatch(cursor)
    if found is None:
        raise refused("cursor", _BAD_CURSOR)
    return Place(_START + int(found[1]) * _MICROSECOND, UUID(found[2]))


def place_write(place: Place | None) -> str | None:
    """A place as a cursor."""
    if place is None:
        return None
    return f"{(place.active_at - _START) // _MICROSECOND}.{place.id.hex}"


def number_read(cursor: str | None) -> int | None:
    """The last number of the page before; None: the first page. Raises ConversationInvalid."""
    if not cursor:
        return None
    if not _NUMBER.fullmatch(cursor):
        raise refused("cursor", _BAD_CURSOR)
    return int(cursor)


def number_write(number: int | None) -> str | None:
    """A number as a cursor."""
    return None if number is None else str(number)
