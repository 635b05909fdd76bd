"""Calling the functions of migrations/sql/change.sql, and publishing what they changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs import sql
from lib import clock
from notifications.inbox import publisher
from notifications.inbox.changes import (
    change_cleared,
    change_new,
    change_recalled,
    change_updated,
)
from notifications.inbox.models import State
from notifications.inbox.shapes import Change, Row, Target


@dataclass(frozen=True, slots=True)
class Changed:
    """A change that was written: a row of the SQL type inbox_change.

    version: its position, None if nobody was ever shown the notification; prev: the person's position
    before it.
    """

    recipient_id: int
    user_id: int
    login: str
    notification_id: UUID
    position: int | None
    version: int | None
    prev: int | None
    state: str
    message: str
    source: str
    created_at: datetime
    expires_at: datetime | None
    priority: int
    edition: int
    data: str | None
    outbox_id: int | None


def changed(function: str, params: Sequence[Any]) -> list[Changed]:
    """Call a function of change.sql in the transaction of the caller; screens hear when it commits.

    Locks: the inboxes of the people concerned, in one order, until the transaction ends.
    """
    rows = sql.rows(f"SELECT * FROM {function} ORDER BY outbox_id, recipient_id, version", params)
    found = [Changed(*row) for row in rows]
    for outbox_id, rows_of_it in groupby(found, key=lambda one: one.outbox_id):
        group = [one for one in rows_of_it if one.version is not None]
        if group:
            make = partial(_published, group)
            transaction.on_commit(partial(publisher.publish_later, make, len(group), outbox_id))
    return found


def _published(group: Sequence[Changed]) -> list[Change]:
    return [change_make(one) for one in group]


def change_make(one: Changed) -> Change:
    """A change in the form in which it is published. It must have a version."""
    assert one.position is not None
    assert one.version is not None
    assert one.prev is not None
    target: Target = (one.user_id, one.login)
    nid, prev = str(one.notification_id), one.prev
    if one.state == State.AUTO_CLEARED:
        return change_cleared(
            one.recipient_id, target, nid, stream=one.position, position=one.version, prev=prev
        )
    if one.state != State.UNREAD:
        return change_recalled(
            one.recipient_id, target, nid, one.state,
            stream=one.position, position=one.version, prev=prev,
        )  # fmt: skip
    row = Row(
        one.recipient_id, nid, one.position, one.version, one.state, one.message, one.source,
        one.created_at, one.expires_at, one.priority, one.edition, one.data,
    )  # fmt: skip
    make = change_new if one.version == one.position else change_updated
    return make(row, target, prev=prev, ttl_s=seconds_left(one.expires_at))


def seconds_left(expires_at: datetime | None) -> int:
    """Until then, in whole seconds, at least one: for how long a payload stays in Redis."""
    if expires_at is None:
        return 1
    return max(1, round((expires_at - clock.now()).total_seconds()))
