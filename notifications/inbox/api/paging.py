"""`limit` and `cursor` of lists. A cursor is the key of the last item that was seen."""

import re
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter

from lib.errors import InputInvalid
from notifications.inbox.errors import StreamIdInvalid
from notifications.inbox.positions import position_of

MOST = 1000  # items per page
CURSOR = OpenApiParameter("cursor", str, description="`next_cursor` of the page before.")
_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
_PAIR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})", re.ASCII)
_BAD_CURSOR = "is not one that we gave"


def limit(usual: int) -> OpenApiParameter:
    """The parameter of a list."""
    return OpenApiParameter("limit", int, description=f"1 to {MOST}, default {usual}.")


def limit_read(given: Any, usual: int) -> int:
    """`limit` of a query. Raises InputInvalid."""
    raw = given.get("limit") or str(usual)
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 4 and 1 <= int(raw) <= MOST):
        raise refused("limit", f"must be a whole number from 1 to {MOST}")
    return int(raw)


def after_uuid(cursor: str | None) -> UUID | None:
    """The last id of the page before."""
    if not cursor:
        return None
    try:
        return UUID(cursor)
    except ValueError:
        raise refused("cursor", _BAD_CURSOR) from None


def after_number(cursor: str | None) -> int:
    """The last number of the page before; 0 for the first page."""
    if not cursor:
        return 0
    if not _WHOLE.fullmatch(cursor):
        raise refused("cursor", _BAD_CURSOR)
    return int(cursor)


def after_pair(cursor: str | None) -> tuple[int, int]:
    """The last (recipient id, position) of the page before; zeros for the first page."""
    if not cursor:
        return (0, 0)
    found = _PAIR.fullmatch(cursor)
    if found is None:
        raise refused("cursor", _BAD_CURSOR)
    return int(found[1]), int(found[2])


def after_position(cursor: str | None) -> int | None:
    """The last position of the page before, as a stream id."""
    if not cursor:
        return None
    try:
        return position_of(cursor)
    except StreamIdInvalid:
        raise refused("cursor", _BAD_CURSOR) from None


def refused(field: str, why: str) -> InputInvalid:
    """One parameter that cannot be used."""
    return InputInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])
