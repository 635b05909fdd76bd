"""What an address or a form of the console sends, read: a key, or nothing; a row, or a page of 404."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.http import Http404

from lib.errors import NotFound

Key = TypeVar("Key")
Row = TypeVar("Row")


def or_404(get: Callable[[Key], Row], key: Key) -> Row:
    """The row of a page. Raises Http404 in the words of the service."""
    try:
        return get(key)
    except NotFound as exc:
        raise Http404(exc.message) from None


def number_of(text: str) -> int | None:
    """A key that is a number, with or without its #; None for what no column could hold."""
    digits = text.strip().removeprefix("#")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 19
    return int(digits) if is_number and int(digits) < 2**63 else None


def uuid_of(text: str) -> UUID | None:
    """A key as people paste it, with or without dashes; None for anything else."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
