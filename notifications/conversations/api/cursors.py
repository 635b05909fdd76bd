"""`limit` and `cursor` of lists. A cursor is the key of the last item that was seen: the position of a
message, the number of a participant, the last activity and the id of a dialog."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from notifications.conversations.people import refused
from notifications.conversations.places import BAD_CURSOR
from notifications.conversations.selectors.listing import PAGE

MOST = 200  # items per page
LIMIT = OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}.")
CURSOR = OpenApiParameter("cursor", str, description="`next_cursor` of the page before.")
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def limit_read(given: Any) -> int:
    """`limit` of a query. Raises ConversationInvalid."""
    raw = given.get("limit") or str(PAGE)
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 4 and 1 <= int(raw) <= MOST):
        raise refused("limit", f"must be a whole number from 1 to {MOST}")
    return int(raw)


def number_read(cursor: str | None) -> int | None:
    """The last number of the page before; None: the first page. Raises ConversationInvalid."""
    if not cursor:
        return None
    if not _NUMBER.fullmatch(cursor):
        raise refused("cursor", BAD_CURSOR)
    return int(cursor)


def number_write(number: int | None) -> str | None:
    """A number as a cursor."""
    return None if number is None else str(number)
