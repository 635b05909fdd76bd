"""Kinds of audiences, and the conditions of segments. Apps above register theirs in AppConfig.ready().

An audience is JSON, `{"type": "all_users"}`; its kind turns it into a condition in SQL over the row `r` of
inbox_recipient. What it holds comes as parameters, never as text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from notifications.broadcasts.errors import AudienceInvalid

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition in SQL over `r` (inbox_recipient), with its named parameters."""

    sql: str
    params: dict[str, Any] = field(default_factory=dict)


class AudienceKind(Protocol):
    """One type of audience."""

    title: str  # for people: "Everybody"

    def check(self, audience: Json) -> dict[str, Any]:
        """The audience in its normal form, without `type`. Raises AudienceInvalid."""

    def clause(self, audience: Json) -> Clause:
        """Whom it holds. Its parameters must not clash with others: begin them with `a_`."""

    def describe(self, audience: Json) -> str:
        """One line for people: "language is ru, has Telegram"."""

    def unmatched(self, audience: Json) -> int:
        """How many that it names are nobody we know; 0 for rules."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One way to compare: `sql` has {value} where the parameter goes."""

    title: str  # "is one of", "at least"
    sql: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of the segment builder.

    read: turns the given JSON into a parameter; raises ValueError with what is wrong. form: how screens
    ask for it: words (with choices), flag, number, moment.
    """

    name: str
    title: str
    form: str
    read: Callable[[Any], Any]
    operations: Mapping[str, Operation]
    choices: Callable[[], list[tuple[str, str]]] = list


_kinds: dict[str, AudienceKind] = {}
_conditions: dict[str, Condition] = {}


def audience_register(name: str, kind: AudienceKind) -> None:
    """Make a type of audience known; a later one of the same name takes its place."""
    _kinds[name] = kind


def condition_register(condition: Condition) -> None:
    """Make a field of segments known."""
    _conditions[condition.name] = condition


def audience_kinds() -> dict[str, AudienceKind]:
    """All types, in the order in which they were registered."""
    return dict(_kinds)


def conditions() -> dict[str, Condition]:
    """All fields of segments."""
    return dict(_conditions)


def audience_check(audience: Any) -> dict[str, Any]:
    """The audience in its normal form. Raises AudienceInvalid."""
    if not isinstance(audience, Mapping):
        raise AudienceInvalid('must be an object such as {"type": "all_users"}')
    kind = _kind(audience)
    return {"type": audience["type"], **kind.check(audience)}


def audience_clause(audience: Json) -> Clause:
    """Whom a checked audience holds. Raises AudienceInvalid if its kind or its list is gone."""
    return _kind(audience).clause(audience)


def audience_describe(audience: Json) -> str:
    """One line for people, also of an audience whose kind is gone."""
    try:
        return _kind(audience).describe(audience)
    except AudienceInvalid as exc:
        return exc.message


def audience_unmatched(audience: Json) -> int:
    """How many that it names are nobody we know."""
    return _kind(audience).unmatched(audience)


def _kind(audience: Json) -> AudienceKind:
    kind = _kinds.get(str(audience.get("type")))
    if kind is None:
        known = ", ".join(_kinds)
        raise AudienceInvalid(f"type {audience.get('type')!r} is not known; there are {known}")
    return kind
