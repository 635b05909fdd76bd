"""Requests that come at the same time are written together: one transaction, one wait for the disk.

One thread per process takes all that wait, writes them and answers each. While it waits for the disk
the next ones gather, so a batch is as large as the load asks for, and a lone request waits for nobody.
"""

import atexit
import logging
import os
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import orjson
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction

from jobs.engine.ends import is_away
from jobs.idempotency import Answer, IdempotencyKeyReused
from lib.clerk import Clerk
from lib.context import correlation_id
from lib.errors import Unavailable
from notifications.inbox.accept import drafts_write
from notifications.inbox.drafts import draft_check
from notifications.inbox.errors import InboxBusy
from notifications.inbox.repeats import Once, answers_keep, repeats_find
from notifications.inbox.shapes import Draft

logger = logging.getLogger(__name__)

MOST_REQUESTS = 256  # of one transaction
MOST_TARGETS = 5_000
IDLE_S = 1.0  # then the connection to the database is given back

_AWAY = "the database cannot take it now; ask again, best with an Idempotency-Key"


@dataclass(slots=True, eq=False)
class Asked:
    """A request that waits. draft is checked; body is what is answered when it is written."""

    draft: Draft
    body: bytes
    once: Once | None
    answer: Future[Answer]


class Writer(Clerk[Asked]):
    """Writes what was added, as much at once as fits into one transaction."""

    name = "inbox-write"

    def add(self, piece: Asked) -> None:
        """Let it wait. Raises InboxBusy if too many do."""
        with self._changed:
            if len(self._waiting) >= settings.INBOX_MAX_WAITING:
                raise InboxBusy
            super().add(piece)

    def _pick(self) -> list[Asked]:
        batch: list[Asked] = []
        targets = 0
        while self._waiting and len(batch) < MOST_REQUESTS:
            targets += len(self._waiting[0].draft.ids)
            if batch and targets > MOST_TARGETS:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _turn(self) -> bool:
        if batch := self._take(IDLE_S if connection.connection else None):
            _answer(batch)
        else:
            connection.close()
        return True

    def _close(self) -> None:
        connection.close()


def _answer(batch: Sequence[Asked]) -> None:
    """Write them, together if that goes, else each alone; then answer each."""
    replies: Sequence[Answer | Exception]
    try:
        replies = _write(batch)
    except (DatabaseError, InterfaceError) as exc:
        if len(batch) > 1 and not is_away(exc):
            # One that Postgres refuses must not take the others with it.
            logger.info("%d notifications are written one by one: %s", len(batch), exc)
            for asked in batch:
                _answer([asked])
            return
        replies = [Unavailable(_AWAY) if is_away(exc) else exc] * len(batch)
        logger.warning("%d notifications could not be written: %s", len(batch), exc)
    except Exception as exc:
        logger.exception("notifications could not be written")
        replies = [exc] * len(batch)
    for asked, reply in zip(batch, replies, strict=True):
        if not asked.answer.set_running_or_notify_cancel():
            continue  # who asked has gone; what was written stays
        if isinstance(reply, Answer):
            asked.answer.set_result(reply)
        else:
            asked.answer.set_exception(reply)


def _write(batch: Sequence[Asked]) -> list[Answer | Exception]:
    """In one transaction. A connection that went stale meanwhile is opened anew, once.

    What was lost while it committed is not written again: nobody knows whether it is stored.
    """
    is_committing = False
    try:
        with transaction.atomic():
            replies = _replies(batch)
            is_committing = True
    except (DatabaseError, InterfaceError) as exc:
        if is_committing or not is_away(exc):
            raise
        connection.close()
        with transaction.atomic():
            replies = _replies(batch)
    return replies


def _replies(batch: Sequence[Asked]) -> list[Answer | Exception]:
    """Write what is new, and say what becomes of each."""
    keyed = [asked.once for asked in batch if asked.once is not None]
    repeats = repeats_find(keyed) if keyed else {}
    first: dict[tuple[int, str, str], Asked] = {}
    fresh: list[Asked] = []
    replies: list[Answer | Exception] = []
    for asked in batch:
        once, reply = asked.once, Answer(202, asked.body)
        if once is not None and once in repeats:
            replies.append(repeats[once])
            continue
        if once is not None and (leader := first.setdefault(once.place, asked)) is not asked:
            # Both came in the same moment: the second hears what the first one is answered.
            assert leader.once is not None
            is_same = leader.once.body_hash == once.body_hash
            repeat = Answer(202, leader.body, is_repeat=True)
            replies.append(repeat if is_same else IdempotencyKeyReused())
            continue
        fresh.append(asked)
        replies.append(reply)
    if fresh:
        drafts_write([asked.draft for asked in fresh])
        answers_keep({a.once: Answer(202, a.body) for a in fresh if a.once is not None})
    return replies


_writer = Writer()
os.register_at_fork(after_in_child=_writer.reset)


def submit(draft: Draft, *, once: Once | None = None) -> Future[Answer]:
    """Have a draft written, durably and soon, together with others that come at the same time.

    The future gives the answer to the request: 202 and {"results": [{"target", "notification_id"}]},
    or raises Unavailable (503), IdempotencyInFlight, IdempotencyKeyReused. What it raises was not
    stored; Unavailable alone does not know. Raises at once DraftInvalid, TooManyTargets, InboxBusy.
    Repeat: with `once` (repeats.once) the same request gets the same answer, else it acts again.
    """
    draft_check(draft)
    draft.correlation_id = draft.correlation_id or correlation_id.get()
    results = [
        {"target": {"id": user_id, "login": login}, "notification_id": draft.ids[user_id, login]}
        for user_id, login in draft.targets
    ]
    asked = Asked(draft, orjson.dumps({"results": results}), once, Future())
    _writer.add(asked)
    return asked.answer


@atexit.register
def stop(timeout_s: float = 5.0) -> None:
    """Write what waits and let go of everything. Submitted again, it starts again."""
    _writer.stop(timeout_s)
