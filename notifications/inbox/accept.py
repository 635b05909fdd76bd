"""Accepting notifications: rows in the caller's transaction. Rolled back: never published.

`writer.submit` is the door for requests: it puts many of them into one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs import sql
from lib import clock
from lib.context import correlation_id
from notifications.inbox import publisher
from notifications.inbox.arrays import ints, texts, uuids
from notifications.inbox.changes import change_recalled
from notifications.inbox.drafts import data_text, draft_check
from notifications.inbox.fallback import fallbacks_enqueue
from notifications.inbox.frames import payload_form, push_form
from notifications.inbox.quiet import releases_enqueue
from notifications.inbox.shapes import NEW, Accepted, Change, Draft, Row, Target

SMALL = 20  # targets; larger drafts are written by a call of their own, which names the text once

_ACCEPT = """
SELECT accepted_at, outbox_id, recipient_ids, states, positions, prevs, replaced_ids,
    replaced_recipients, replaced_streams, replaced_positions, replaced_prevs,
    deliver_ats, fallback_ats
FROM inbox_accept(%s::uuid[], %s::bigint[], %s::text[], %s, %s::text[], %s::text[],
    %s::timestamptz[], %s::integer[], %s::text[], %s::smallint[], %s::text[], %s::integer[],
    %s::bigint[], %s::text[], %s)
"""
_LOCK = "SELECT inbox_lock(inbox_recipients(%s::bigint[], %s::text[]))"


@dataclass(slots=True)
class Written:
    """What one call of inbox_accept did; the lists are in the order of the targets it was given."""

    accepted_at: datetime
    outbox_id: int | None
    recipient_ids: list[int]
    states: list[str] | None  # None: all unread
    positions: list[int | None]
    prevs: list[int | None]
    replaced_ids: list[UUID] | None
    replaced_recipients: list[int | None] | None
    replaced_streams: list[int | None] | None
    replaced_positions: list[int | None] | None
    replaced_prevs: list[int | None] | None
    deliver_ats: list[datetime] | None
    fallback_ats: list[datetime] | None


def accept(drafts: Sequence[Draft]) -> list[Accepted]:
    """Write drafts in the transaction of the caller, and publish them when it commits.

    Each target gets its notification, unread, muted or deferred as its person wishes; an unread or
    deferred one with the same collapse key and source is replaced. Raises DraftInvalid, TooManyTargets.
    Repeat: the same Draft object fails on its ids; an equal one makes notifications again. Locks: the
    inboxes of all targets until the transaction ends, in one order; a caller that accepts twice in
    one transaction may meet another one head-on, and Postgres then fails one of them.
    """
    for draft in drafts:
        draft_check(draft)
    return drafts_write(drafts)


def drafts_write(drafts: Sequence[Draft]) -> list[Accepted]:
    """As accept, of drafts that were checked."""
    cause = correlation_id.get()
    for draft in drafts:
        draft.correlation_id = draft.correlation_id or cause
    calls = list(_calls(drafts))
    with transaction.atomic(savepoint=False):
        if len(calls) > 1:
            everybody = list(dict.fromkeys(target for draft in drafts for target in draft.ids))
            sql.row(_LOCK, _split(everybody))
        return [accepted for call in calls for accepted in _write(call)]


def _calls(drafts: Sequence[Draft]) -> list[list[Draft]]:
    """Drafts that one call can write. Their order stays, for it is that of the positions."""
    calls: list[list[Draft]] = []
    taken: set[tuple[Target, str, str]] = set()
    for draft in drafts:
        places = set()
        if draft.collapse_key is not None:
            places = {(target, draft.collapse_key, draft.source) for target in draft.ids}
        fits = bool(calls) and len(draft.ids) <= SMALL and len(calls[-1][-1].ids) <= SMALL
        if fits and taken.isdisjoint(places):
            calls[-1].append(draft)
            taken |= places
        else:
            calls.append([draft])
            taken = places
    return calls


def _write(call: list[Draft]) -> list[Accepted]:
    found = sql.row(_ACCEPT, _params(call))
    assert found is not None
    written = Written(*found)
    if written.outbox_id is not None:
        make = partial(_changes, call, written)
        size = len(written.recipient_ids)
        transaction.on_commit(partial(publisher.publish_later, make, size, written.outbox_id))
    if written.deliver_ats:
        releases_enqueue(written.deliver_ats)
    if written.fallback_ats:
        fallbacks_enqueue(written.fallback_ats)
    states = iter(written.states or ["unread"] * len(written.recipient_ids))
    return [Accepted(draft, [next(states) for _ in draft.ids]) for draft in call]


def _params(call: list[Draft]) -> list[Any]:
    is_shared = len(call) == 1
    each = call if is_shared else [draft for draft in call for _ in draft.ids]
    written = {id(draft): data_text(draft.data) for draft in call}
    return [
        uuids(each_id for draft in call for each_id in draft.ids.values()),
        *_split([target for draft in call for target in draft.ids]),
        is_shared,
        texts([draft.message for draft in each]),
        texts([draft.source for draft in each]),
        [draft.created_at for draft in each],
        ints(draft.ttl_s for draft in each),
        texts([draft.collapse_key for draft in each]),
        ints(draft.priority for draft in each),
        texts([written[id(draft)] for draft in each]),
        ints(draft.fallback_after_s for draft in each),
        ints(draft.sender_id for draft in each),
        texts([draft.correlation_id for draft in each]),
        clock.offset(),
    ]


def _split(targets: Sequence[Target]) -> tuple[str, str]:
    return ints(user_id for user_id, _ in targets), texts([login for _, login in targets])


def _changes(call: list[Draft], written: Written) -> list[Change]:
    """What is to be published; made by the publisher, so that nobody waits for it."""
    changes = _replaced(call, written)
    told = zip(written.recipient_ids, written.positions, written.prevs, strict=True)
    for draft in call:
        row = Row(
            recipient_id=0, notification_id="", position=0, version=0, state="unread",
            message=draft.message, source=draft.source,
            created_at=draft.created_at or written.accepted_at,
            expires_at=written.accepted_at + timedelta(seconds=draft.ttl_s),
            priority=draft.priority, edition=1, data=data_text(draft.data),
        )  # fmt: skip
        frame, payload = push_form(row), payload_form(row)
        # The draft comes first: zip takes nothing from `told` once it has ended.
        for (target, made), (recipient_id, position, prev) in zip(
            draft.ids.items(), told, strict=False
        ):
            if position is None or prev is None:
                continue
            each_id = str(made)
            changes.append(
                Change(
                    recipient_id, *target, position, prev, NEW, each_id, frame(each_id, position),
                    payload(each_id, target), draft.ttl_s,
                )
            )  # fmt: skip
    return changes


def _replaced(call: list[Draft], written: Written) -> list[Change]:
    """The older ones whose place was taken, and which somebody may have seen."""
    if written.replaced_ids is None:
        return []
    targets = (target for draft in call for target in draft.ids)
    people = dict(zip(written.recipient_ids, targets, strict=True))
    found = zip(
        written.replaced_ids, written.replaced_recipients or (), written.replaced_streams or (),
        written.replaced_positions or (), written.replaced_prevs or (), strict=True,
    )  # fmt: skip
    return [
        change_recalled(
            recipient_id, people[recipient_id], str(each_id), "replaced",
            stream=stream, position=position, prev=prev,
        )
        for each_id, recipient_id, stream, position, prev in found
        if recipient_id is not None and stream is not None and position is not None
        and prev is not None
    ]  # fmt: skip
