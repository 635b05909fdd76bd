"""Doing once what is asked twice: the answer is kept under the caller's Idempotency-Key.

The answer is written in the transaction of the act, so there is no moment at which the work is done
and the key forgotten, or the other way round. Only answers that did something are kept: whoever was
refused may mend the request and come again under the same key.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.db import transaction

from jobs import sql
from jobs.models import KeptAnswer
from lib import clock
from lib.errors import DomainError, InputInvalid

KEPT_FOR = timedelta(days=1)
LONGEST_KEY = 200


class IdempotencyKeyInvalid(InputInvalid):
    """An Idempotency-Key has 1 to 200 printable ASCII characters."""

    code = "idempotency_key_invalid"


class IdempotencyKeyReused(InputInvalid):
    """This Idempotency-Key came before with another body."""

    code = "idempotency_key_reused"


class IdempotencyInFlight(DomainError):
    """A request with this Idempotency-Key is being worked on; ask again in a moment."""

    code = "idempotency_in_flight"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it goes out: body is JSON, the same bytes for each repetition."""

    status: int
    body: bytes
    is_repeat: bool = False


def answer_once(
    *,
    account_id: int,
    scope: str,
    key: str | None,
    body: Any,
    act: Callable[[], tuple[int, Any]],
) -> Answer:
    """Act and keep the answer, or give the answer that was kept. Without a key: just act.

    act runs in the transaction that keeps its (status, content); what it raises rolls both back and
    nothing is kept. body: what came with the key, as parsed. Locks: the key, for the transaction;
    who comes meanwhile is refused and never waits.
    Raises IdempotencyKeyInvalid, IdempotencyKeyReused, IdempotencyInFlight.
    """
    if key is None:
        status, content = act()
        return Answer(status, _dump(content))
    if not 1 <= len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise IdempotencyKeyInvalid
    body_hash = _hash(body)
    with transaction.atomic():
        lock = f"{account_id}\n{scope}\n{key}"
        free = sql.row("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 748202))", [lock])
        if not (free and free[0]):
            raise IdempotencyInFlight
        # A statement of its own: it must see what the former holder of the lock committed.
        kept = KeptAnswer.objects.filter(account_id=account_id, scope=scope, key=key).first()
        if kept is not None:
            if kept.body_hash != body_hash:
                raise IdempotencyKeyReused
            return Answer(kept.status, kept.answer.encode(), is_repeat=True)
        status, content = act()
        answer = Answer(status, _dump(content))
        KeptAnswer.objects.create(
            account_id=account_id,
            scope=scope,
            key=key,
            body_hash=body_hash,
            status=status,
            answer=answer.body.decode(),
            created_at=clock.now(),
        )
    return answer


def answers_forget(*, before: timedelta = KEPT_FOR) -> int:
    """Delete answers that are older than the span. Returns how many."""
    deleted, _ = KeptAnswer.objects.filter(created_at__lt=clock.now() - before).delete()
    return deleted


def _hash(body: Any) -> str:
    try:
        return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    except TypeError:  # JSON is read up to a depth of 1,024, but written up to 254 only
        raise InputInvalid("the body is nested too deeply") from None


def _dump(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)
