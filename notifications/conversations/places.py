"""Where a page of dialogs has ended, as a text for addresses and cursors."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from notifications.conversations.people import refused
from notifications.conversations.selectors.listing import Place

BAD_CURSOR = "is not one that we gave"
_PLACE = re.compile(r"([0-9]{1,17})\.([0-9a-f]{32})", re.ASCII)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def place_read(cursor: str | None) -> Place | None:
    """Where the page before has ended; None: the first page. Raises ConversationInvalid."""
    if not cursor:
        return None
    found = _PLACE.fullmatch(cursor)
    if found is None:
        raise refused("cursor", BAD_CURSOR)
    return Place(_START + int(found[1]) * _MICROSECOND, UUID(found[2]))


def place_write(place: Place | None) -> str | None:
    """A place as a cursor."""
    if place is None:
        return None
    return f"{(place.active_at - _START) // _MICROSECOND}.{place.id.hex}"
