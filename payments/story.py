"""Writing the story of payments: one line for whatever happened, in the transaction of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.contrib.auth.base_user import AbstractBaseUser

from jobs.audit import Account
from jobs.compiled import rows_of
from lib import clock
from lib.context import correlation_id
from payments.words import SENTENCES


class Line(NamedTuple):
    """One line that is to be written: its kind, what it says, and whose act it was."""

    kind: str
    data: Mapping[str, Any]
    by: Account = None


# Writes lines of the payments in `changed`, a part of the same statement; its parameters: lines_params.
LINES = """
INSERT INTO payment_event (payment_id, at, kind, data, actor, correlation_id)
SELECT c.id, %(now)s::timestamptz, l.kind, l.data::jsonb, l.actor, %(correlation_id)s::text
FROM changed c, unnest(%(kinds)s::text[], %(said)s::text[], %(actors)s::text[])
    WITH ORDINALITY AS l (kind, data, actor, number)
ORDER BY c.id, l.number RETURNING id
"""
_LINE = """
INSERT INTO payment_event (payment_id, at, kind, data, actor, correlation_id)
VALUES (%(id)s, %(now)s, %(kind)s, %(data)s, %(actor)s, %(correlation_id)s) RETURNING id
"""


def event_write(
    payment_id: UUID, kind: str, *, data: Mapping[str, Any] | None = None, by: Account = None
) -> None:
    """Write one line of a payment's story.

    kind: one of payments.words.SENTENCES. data is JSON, amounts and moments as texts, never a secret.
    Raises LookupError for a kind without words. Repeat: each call writes a line.
    """
    rows_of(
        _LINE,
        {
            "id": payment_id,
            "now": clock.now(),
            "kind": _known(kind),
            "data": _json(data or {}),
            "actor": name_of(by),
            "correlation_id": correlation_id.get() or None,
        },
    )


def lines_params(lines: Iterable[Line], now: datetime) -> dict[str, Any]:
    """The parameters of LINES. Raises LookupError as event_write does."""
    given = list(lines)
    return {
        "now": now,
        "kinds": [_known(line.kind) for line in given],
        "said": [_json(line.data) for line in given],
        "actors": [name_of(line.by) for line in given],
        "correlation_id": correlation_id.get() or None,
    }


def _known(kind: str) -> str:
    if kind not in SENTENCES:
        raise LookupError(f"the story has no words for {kind!r}; add them to payments/words.py")
    return kind


def _json(data: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(data)).decode()


def name_of(by: Account) -> str:
    """Who it is, for a column of a row; empty for the platform itself."""
    return by.get_username() if isinstance(by, AbstractBaseUser) else ""
