"""A few of the people that an audience means, and how many they are."""

from dataclasses import dataclass
from typing import Any

from jobs import sql
from notifications.broadcasts.audiences.registry import Json, audience_clause, audience_unmatched
from notifications.broadcasts.services import audience_count
from notifications.broadcasts.trying import counting

SHOWN = 5
PATIENCE_MS = 5_000  # somebody is typing, and the next count is asked for already


@dataclass(frozen=True, slots=True)
class Sample:
    """people: (id of the row, user id, login, has Telegram, language). unmatched: named, but not known."""

    count: int
    unmatched: int
    people: list[tuple[Any, ...]]


def audience_sample(audience: Json, *, patience_ms: int = PATIENCE_MS) -> Sample:
    """Count a checked audience, and name the newest of it. Four statements. Raises CountSlow."""
    with counting(patience_ms):
        return _sample(audience)


def _sample(audience: Json) -> Sample:
    clause = audience_clause(audience)
    people = sql.rows(
        f"""SELECT r.id, r.user_id, r.login, r.telegram_id IS NOT NULL, r.language
        FROM inbox_recipient r WHERE {clause.sql} ORDER BY r.id DESC LIMIT {SHOWN}""",
        clause.params,
    )
    return Sample(audience_count(audience), audience_unmatched(audience), list(people))
