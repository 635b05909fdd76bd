"""Positions on the wire. A position is milliseconds, strictly growing for one person, and equals the
id of the entry in that person's Redis stream."""

import re

from notifications.inbox.errors import StreamIdInvalid

_STREAM_ID = re.compile(r"(0|[1-9][0-9]{0,17})-0", re.ASCII)


def stream_id(position: int) -> str:
    """1640995200000 -> "1640995200000-0"."""
    return f"{position}-0"


def position_of(stream_id: object) -> int:
    """The position that a client was told. Raises StreamIdInvalid."""
    found = _STREAM_ID.fullmatch(stream_id) if isinstance(stream_id, str) else None
    if found is None:
        raise StreamIdInvalid
    return int(found[1])
