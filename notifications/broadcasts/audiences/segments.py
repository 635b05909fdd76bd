"""Segments: people by conditions that all, or any, must hold.

{"type": "segment", "match": "all", "conditions": [{"field": "language", "op": "is", "value": ["ru"]}]}
"""

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from jobs.storable import is_storable
from notifications.broadcasts.audiences.registry import (
    Clause,
    Condition,
    Json,
    Operation,
    audience_register,
    condition_register,
    conditions,
)
from notifications.broadcasts.errors import AudienceInvalid

CONDITIONS_MOST = 20
_MATCH = {"all": " AND ", "any": " OR "}


class Segment:
    """People by conditions."""

    title = "Segment"

    def check(self, audience: Json) -> dict[str, Any]:
        if strange := set(audience) - {"type", "match", "conditions"}:
            raise AudienceInvalid(f"segment takes no {', '.join(sorted(strange))}")
        match = audience.get("match", "all")
        if not isinstance(match, str) or match not in _MATCH:
            raise AudienceInvalid("match must be all or any")
        given = audience.get("conditions")
        if not isinstance(given, list) or not 1 <= len(given) <= CONDITIONS_MOST:
            raise AudienceInvalid(f"conditions must be a list of 1 to {CONDITIONS_MOST}")
        return {
            "match": match,
            "conditions": [_check(number, one) for number, one in enumerate(given, 1)],
        }

    def clause(self, audience: Json) -> Clause:
        parts, params = [], {}
        for number, one in enumerate(audience["conditions"]):
            condition = _condition(number + 1, one)
            name = f"a_{number}"
            params[name] = _read(number + 1, condition, one)
            parts.append(f"({condition.operations[one['op']].sql.format(value=f'%({name})s')})")
        return Clause(_MATCH[audience["match"]].join(parts), params)

    def describe(self, audience: Json) -> str:
        joiner = " and " if audience["match"] == "all" else " or "
        return joiner.join(
            _say(number, one) for number, one in enumerate(audience["conditions"], 1)
        )

    def unmatched(self, audience: Json) -> int:
        del audience
        return 0


def _condition(number: int, one: Any) -> Condition:
    if not isinstance(one, dict) or set(one) - {"field", "op", "value"}:
        raise AudienceInvalid(f"condition {number} must have field, op and value")
    condition = conditions().get(str(one.get("field")))
    if condition is None:
        known = ", ".join(conditions())
        raise AudienceInvalid(
            f"condition {number}: there is no field {one.get('field')!r}; there are {known}"
        )
    if not isinstance(one.get("op"), str) or one["op"] not in condition.operations:
        known = ", ".join(condition.operations)
        raise AudienceInvalid(f"condition {number}: {condition.name} takes {known}")
    return condition


def _check(number: int, one: Any) -> dict[str, Any]:
    condition = _condition(number, one)
    _read(number, condition, one)
    return {"field": condition.name, "op": one["op"], "value": one.get("value")}


def _read(number: int, condition: Condition, one: dict[str, Any]) -> Any:
    """The parameter of a condition. What was good when it was kept may be none any more."""
    try:
        return condition.read(one.get("value"))
    except (ValueError, TypeError) as exc:
        raise AudienceInvalid(f"condition {number}: {condition.name} {exc}") from None


def _say(number: int, one: dict[str, Any]) -> str:
    condition = _condition(number, one)
    value = one.get("value")
    if condition.form == "flag":
        return condition.title if value else f"not {condition.title}"
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return f"{condition.title} {condition.operations[one['op']].title} {shown}"


def _words(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise ValueError("takes a list of words")
    if any(len(each) > 64 or not is_storable(each) for each in value):
        raise ValueError("has a word that nobody can have")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("takes true or false")  # noqa: TRY004 - the registry asks for ValueError
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise ValueError("takes a whole number")
    return value


def _moment(value: Any) -> datetime:
    found = parse_datetime(value) if isinstance(value, str) else None
    if found is None or found.tzinfo is None:
        raise ValueError("takes a moment with its time zone, such as 2026-11-01T00:00:00Z")
    return found


def _languages() -> list[tuple[str, str]]:
    return [("en", "English"), ("ru", "Russian"), ("", "not known")]


_SINCE = {
    "since": Operation("since", "{column} >= {{value}}"),
    "before": Operation("before", "{column} < {{value}}"),
}


def segments_register() -> None:
    """Make segments and their own fields known. Repeat-safe."""
    audience_register("segment", Segment())
    for condition in (
        Condition(
            "language", "language", "words", _words,
            {
                "is": Operation("is", "r.language = ANY ({value}::text[])"),
                "is_not": Operation("is not", "r.language <> ALL ({value}::text[])"),
            },
            _languages,
        ),
        Condition(
            "has_telegram", "has Telegram", "flag", _flag,
            {"is": Operation("is", "(r.telegram_id IS NOT NULL) = {value}")},
        ),
        Condition(
            "connected", "is connected now", "flag", _flag,
            {
                "is": Operation(
                    "is",
                    "EXISTS (SELECT FROM inbox_client c WHERE c.recipient_id = r.id) = {value}",
                )
            },
        ),
        Condition(
            "unread", "unread notifications", "number", _number,
            {
                "at_least": Operation("at least", "r.unread >= {value}"),
                "at_most": Operation("at most", "r.unread <= {value}"),
            },
        ),
        Condition(
            "created", "first seen", "moment", _moment,
            {name: Operation(op.title, op.sql.format(column="r.created_at")) for name, op in _SINCE.items()},
        ),
        Condition(
            "read", "last read something", "moment", _moment,
            {
                "since": Operation(
                    "since",
                    "EXISTS (SELECT FROM inbox_notification n WHERE n.recipient_id = r.id"
                    " AND n.read_at >= {value})",
                ),
                "before": Operation(
                    "not since",
                    "NOT EXISTS (SELECT FROM inbox_notification n WHERE n.recipient_id = r.id"
                    " AND n.read_at >= {value})",
                ),
            },
        ),
    ):  # fmt: skip
        condition_register(condition)
