"""Acks: a person has read notifications, on one device or another."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.db import transaction

from jobs import sql
from lib import clock
from notifications.inbox import publisher
from notifications.inbox.arrays import ints, uuids
from notifications.inbox.changes import change_read
from notifications.inbox.shapes import Change, ReadResult

_READ = """
SELECT outbox_id, streams, positions, prevs, users, logins
FROM inbox_read(%s::bigint[], %s::uuid[], %s)
"""


def read_many(reads: Sequence[tuple[int, UUID]]) -> list[ReadResult]:
    """Mark notifications read: (recipient id, notification id) pairs, of many people at once.

    The results are in the order of the pairs. One that had expired becomes read, too. Repeat: an
    ack that came before, also in the same call, is `already`. What changed is published when the
    transaction commits. Locks: the inboxes, until then.
    """
    if not reads:
        return []
    owners, ids = ints(owner for owner, _ in reads), uuids(each_id for _, each_id in reads)
    found = sql.row(_READ, [owners, ids, clock.offset()])
    assert found is not None
    outbox_id, streams, positions, prevs, users, logins = found
    if outbox_id is None:
        positions = [None] * len(reads)
    else:
        changed = [
            (owner, (user_id, login), str(each_id), stream, position, prev)
            for (owner, each_id), stream, position, prev, user_id, login in zip(
                reads, streams, positions, prevs, users, logins, strict=True
            )
            if position is not None
        ]
        make = partial(_changes, changed)
        transaction.on_commit(partial(publisher.publish_later, make, len(changed), outbox_id))
    return [
        ReadResult(owner, each_id, _result(stream, position), position, stream)
        for (owner, each_id), stream, position in zip(reads, streams, positions, strict=True)
    ]


def _result(stream: int | None, position: int | None) -> str:
    return "unknown" if stream is None else "already" if position is None else "read"


def _changes(
    changed: Sequence[tuple[int, tuple[int, str], str, int, int, int]],
) -> list[Change]:
    return [
        change_read(owner, target, each_id, stream=stream, position=position, prev=prev)
        for owner, target, each_id, stream, position, prev in changed
    ]
