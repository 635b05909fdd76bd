"""Requests that come again under the same Idempotency-Key, many at once.

jobs.idempotency.answer_once for a whole transaction of requests: the same keys, the same locks, the
same table, so it does not matter which of both a request meets.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from jobs import sql
from jobs.idempotency import (
    LONGEST_KEY,
    Answer,
    IdempotencyInFlight,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
)
from lib import clock
from lib.errors import DomainError, InputInvalid

_LOCK = """
SELECT u.ord, pg_try_advisory_xact_lock(hashtextextended(u.name, 748202))
FROM unnest(%s::text[]) WITH ORDINALITY u (name, ord)
"""
_KEPT = """
SELECT k.account_id, k.scope, k.key, k.body_hash, k.status, k.answer
FROM unnest(%s::bigint[], %s::text[], %s::text[]) u (account_id, scope, key)
CROSS JOIN LATERAL (
    -- One step on the index each, whatever the statistics say of a table that grows by the second.
    SELECT * FROM jobs_keptanswer k
    WHERE k.account_id = u.account_id AND k.scope = u.scope AND k.key = u.key LIMIT 1
) k
"""
_KEEP = """
INSERT INTO jobs_keptanswer (account_id, scope, key, body_hash, status, answer, created_at)
SELECT u.account_id, u.scope, u.key, u.body_hash, u.status, u.answer, %s
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::text[])
    u (account_id, scope, key, body_hash, status, answer)
"""


@dataclass(frozen=True, slots=True)
class Once:
    """A request that is to act once: who asks, for what, under which key, with which body."""

    account_id: int
    scope: str
    key: str
    body_hash: str

    @property
    def place(self) -> tuple[int, str, str]:
        return self.account_id, self.scope, self.key


def once(*, account_id: int, scope: str, key: str, body: Any) -> Once:
    """body: what came with the key, as parsed. Raises IdempotencyKeyInvalid, InputInvalid."""
    if not 1 <= len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise IdempotencyKeyInvalid
    try:
        text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # JSON is read up to a depth of 1,024, but written up to 254 only
        raise InputInvalid("the body is nested too deeply") from None
    return Once(account_id, scope, key, hashlib.sha256(text).hexdigest())


def repeats_find(asked: Sequence[Once]) -> dict[Once, Answer | DomainError]:
    """What must be answered to those that came before: the kept answer, or why there is none.

    Those that are not in the result may act; keep their answers in the same transaction. Locks: their
    keys until it ends; a key that somebody else holds is refused and never waited for.
    """
    places = list(dict.fromkeys(each.place for each in asked))
    names = [f"{account_id}\n{scope}\n{key}" for account_id, scope, key in places]
    held = {places[number - 1] for number, is_free in sql.rows(_LOCK, [names]) if not is_free}
    free = [place for place in places if place not in held]
    # A statement of its own: it sees what the former holders of the locks committed.
    kept = {
        (account_id, scope, key): (body_hash, Answer(status, answer.encode(), is_repeat=True))
        for account_id, scope, key, body_hash, status, answer in sql.rows(_KEPT, _columns(free))
    }
    found: dict[Once, Answer | DomainError] = {}
    for each in asked:
        if each.place in held:
            found[each] = IdempotencyInFlight()
        elif each.place in kept:
            body_hash, answer = kept[each.place]
            found[each] = answer if body_hash == each.body_hash else IdempotencyKeyReused()
    return found


def answers_keep(answers: dict[Once, Answer]) -> None:
    """Keep what was answered, in the transaction of the act."""
    if not answers:
        return
    asked = list(answers)
    sql.run(
        _KEEP,
        [
            clock.now(),
            *_columns([each.place for each in asked]),
            [each.body_hash for each in asked],
            [answers[each].status for each in asked],
            [answers[each].body.decode() for each in asked],
        ],
    )


def _columns(places: Sequence[tuple[int, str, str]]) -> list[list[Any]]:
    return [[place[index] for place in places] for index in range(3)]
