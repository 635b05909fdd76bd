"""How the subscribers of an operation are chosen: a list of one kind of name, or a filter.

{"subscriber_ids": [1, 2]}  {"panel_ids": [...]}  {"usernames": [...]}  {"user_uuids": [...]}
{"filter": {"status": ["ACTIVE"], "plan": ["month"]}}
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from subscriptions.bulk.errors import SelectionInvalid, SelectionTooLarge
from subscriptions.filtering import filter_check, filter_describe
from subscriptions.models import BulkKind

LIST_MOST = 100_000
CUTTING = frozenset({BulkKind.DISABLE, BulkKind.DELETE})

# How a name in a list is turned into a value of its column, and how it is compared.
_COLUMNS = {
    "subscriber_ids": ("id", "bigint"),
    "panel_ids": ("panel_id", "bigint"),
    "user_uuids": ("panel_uuid", "uuid"),
    "usernames": ("username", "text"),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """names: distinct, in the order in which they came first; None where a filter chooses."""

    column: str = ""
    cast: str = ""
    names: tuple[str, ...] = ()
    where: Mapping[str, Any] | None = None
    field: str = ""
    given: int = 0  # how many names there were, duplicates included

    def stored(self) -> dict[str, Any]:
        """What the operation keeps of it, for people and for the job that finds a filter's people."""
        if self.where is not None:
            return {"filter": dict(self.where), "text": filter_describe(self.where)}
        return {
            "list": self.field,
            "given": self.given,
            "text": f"a list of {len(self.names)}",
        }


def selection_read(given: Mapping[str, Any]) -> Selection:
    """Read a selection. Duplicates are dropped. Raises SelectionInvalid, SelectionTooLarge, FilterInvalid."""
    known = [name for name in (*_COLUMNS, "filter") if given.get(name) is not None]
    if len(known) != 1:
        raise SelectionInvalid(f"give one of {', '.join(_COLUMNS)} or filter")
    field = known[0]
    if field == "filter":
        where = given["filter"]
        if not isinstance(where, Mapping):
            raise SelectionInvalid("filter must be an object; {} means everybody")
        if blank := sorted(name for name, value in where.items() if value in (None, "")):
            # Somebody's variable was empty: left out, it would mean many more than was meant.
            raise SelectionInvalid(f"filter.{blank[0]} is empty: say what, or leave it out")
        return Selection(where=filter_check(where), field=field)
    values = given[field]
    if not isinstance(values, list | tuple):
        raise SelectionInvalid(f"{field} must be a list")
    if len(values) > LIST_MOST:
        raise SelectionTooLarge(
            f"{field} holds {len(values)}; at most {LIST_MOST} may be listed, a filter takes any number"
        )
    column, cast = _COLUMNS[field]
    names = tuple(dict.fromkeys(_names(field, cast, values)))
    return Selection(column, cast, names, None, field, len(values))


def selection_for(kind: BulkKind, given: Mapping[str, Any]) -> Selection:
    """Read the selection of an operation; what cuts people is for nobody in particular refused.

    Raises what selection_read raises.
    """
    chosen = selection_read(given)
    if kind in CUTTING and chosen.where is not None and not chosen.where:
        raise SelectionInvalid(f"to {kind.value} everybody there is, name all states in the filter")
    return chosen


def _names(field: str, cast: str, values: Iterable[Any]) -> Iterable[str]:
    for place, value in enumerate(values):
        text = str(value).strip()
        if isinstance(value, bool) or not _fits(cast, text):
            raise SelectionInvalid(
                f"{field}[{place}] is not one: {text[:64]!r}",
                errors=[{"field": f"{field}[{place}]", "message": "is not of this kind"}],
            )
        yield str(UUID(text)) if cast == "uuid" else text


def _fits(cast: str, text: str) -> bool:
    if cast == "bigint":
        return text.isascii() and text.isdecimal() and 0 < int(text) < 2**63
    if cast == "uuid":
        try:
            UUID(text)
        except ValueError:
            return False
        return True
    return 0 < len(text) <= 64 and "\x00" not in text
