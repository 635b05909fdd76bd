"""`limit` and `cursor` of lists. A cursor is the key of the last item that was seen."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter

from lib.errors import InputInvalid

MOST, USUAL = 500, 50
CURSOR = OpenApiParameter("cursor", str, description="`next_cursor` of the page before.")
LIMIT = OpenApiParameter("limit", int, description=f"1 to {MOST}, default {USUAL}.")


def limit_read(given: Any) -> int:
    """Raises InputInvalid."""
    raw = given.get("limit") or str(USUAL)
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 4 and 1 <= int(raw) <= MOST):
        raise refused("limit", f"must be a whole number from 1 to {MOST}")
    return int(raw)


def number_read(given: Any, name: str) -> int | None:
    """A whole number, if it was given. Raises InputInvalid."""
    raw = given.get(name)
    if not raw:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18):
        raise refused(name, "is not one that we gave" if name == "cursor" else "must be a number")
    return int(raw)


def uuid_read(given: Any, name: str) -> UUID | None:
    """An id, if it was given. Raises InputInvalid."""
    raw = given.get(name)
    try:
        return UUID(raw) if raw else None
    except ValueError:
        raise refused(name, "is not one that we gave") from None


def word_read(given: Any, name: str, known: list[str]) -> str:
    """One of the known words, or nothing. Raises InputInvalid."""
    raw = str(given.get(name) or "")
    if raw and raw not in known:
        raise refused(name, f"must be one of {', '.join(known)}")
    return raw


def refused(field: str, why: str) -> InputInvalid:
    """One parameter that cannot be used."""
    return InputInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])
