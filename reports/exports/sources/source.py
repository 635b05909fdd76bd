"""What can be exported: the shape of a source, and the parts that its filter has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Q, QuerySet

from reports.exports.columns import Column
from subscriptions.filtering import FilterInvalid


class Entry(StrEnum):
    """How a person gives the value of a part."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    MOMENT = "moment"
    CHOICE = "choice"  # one of `choices`
    WORDS = "words"  # one or several, of `choices` if there are any


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a filter. read: the given JSON as a value, or ValueError with what is wrong."""

    title: str
    read: Callable[[Any], Any]
    clause: Callable[[Any], Q] | None = None
    entry: Entry = Entry.TEXT
    choices: Callable[[], list[tuple[str, str]]] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of export. permission: to see such rows. span: what the range of an order is about.

    rows(read filters, since, until): the rows, in any order. key_is_ordered: later rows have larger keys,
    so that what comes after the order can be left out, and the last key says how far it is.
    """

    name: str
    title: str
    permission: str
    span: str
    columns: tuple[Column, ...]
    parts: Mapping[str, Part]
    rows: Callable[[dict[str, Any], datetime | None, datetime | None], QuerySet[Any]]
    key_is_ordered: bool = True

    @property
    def usual_columns(self) -> list[str]:
        """The columns of an order that chooses none."""
        return [column.name for column in self.columns if column.is_usual]

    def filters_read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a filter. Raises FilterInvalid, naming the part."""
        if strange := sorted(set(given) - set(self.parts)):
            known = ", ".join(self.parts)
            raise FilterInvalid(f"there is no filter {strange[0]!r}; there are {known}")
        found: dict[str, Any] = {}
        for name, value in given.items():
            if value in (None, "", []):
                continue
            try:
                found[name] = self.parts[name].read(value)
            except ValueError as exc:
                raise FilterInvalid(
                    f"{name} {exc}", errors=[{"field": name, "message": str(exc)}]
                ) from None
        return found

    def filters_describe(self, given: Mapping[str, Any]) -> str:
        """One line for people: "status ACTIVE or LIMITED, plan month"."""
        return ", ".join(
            f"{self.parts[name].title} "
            f"{' or '.join(map(str, value)) if isinstance(value, list) else value}"
            for name, value in given.items()
            if name in self.parts and value not in (None, "", [])
        )


def narrowed(
    rows: QuerySet[Any], parts: Mapping[str, Part], found: dict[str, Any]
) -> QuerySet[Any]:
    """The rows for which every part holds."""
    for name, value in found.items():
        clause = parts[name].clause
        if clause is not None:
            rows = rows.filter(clause(value))
    return rows


def between(
    rows: QuerySet[Any], field: str, since: datetime | None, until: datetime | None
) -> QuerySet[Any]:
    """Those whose field is in [since, until)."""
    if since is not None:
        rows = rows.filter(**{f"{field}__gte": since})
    return rows if until is None else rows.filter(**{f"{field}__lt": until})


def exactly(field: str, *, longest: int = 200) -> tuple[Callable[[Any], str], Callable[[Any], Q]]:
    """(read, clause) of a part that takes one text, as it stands in the field."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value.strip()) <= longest or "\x00" in value:
            raise ValueError(f"takes 1 to {longest} characters")
        return value.strip()

    return read, lambda value: Q(**{field: value})
