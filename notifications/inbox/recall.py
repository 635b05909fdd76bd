"""Second thoughts of a sender: another text, or taking a notification back.

Only what is unread, or still waits for the end of quiet hours, can be changed: a text that was read is
what the person knows.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from lib.errors import InputInvalid
from notifications.inbox.changing import changed
from notifications.inbox.drafts import data_text, message_check
from notifications.inbox.errors import NotificationSettled, NotificationUnknown
from notifications.inbox.models import Notification, State

OBJECT = "notification"  # what the audit log calls it

# Pods note every 100 ms which screens they have written to. For so long after a notification was placed
# an answer waits for these notes, if they are fewer than the person has connections.
YOUNG = timedelta(milliseconds=400)
_LOOK_S = 0.02

_WHY = {
    State.READ: "it was read already",
    State.AUTO_CLEARED: "it has expired",
    State.RECALLED: "it was taken back",
    State.REPLACED: "a newer one has taken its place",
    State.MUTED: "the person has muted its source and was never shown it",
}


class _Unset:
    """Not given; None is a value."""


UNSET: Final = _Unset()


@dataclass(frozen=True, slots=True)
class Told:
    """How a notification stands after a change. screens: connections that had it before."""

    notification_id: UUID
    state: str
    edition: int
    screens: int


def notification_update(
    *,
    notification_id: UUID,
    message: str | None = None,
    data: dict[str, Any] | _Unset | None = UNSET,
    by: Account,
) -> Told:
    """Give it another text, or other data (None: none). Screens show that at once.

    Raises NotificationUnknown, NotificationSettled, DraftInvalid; InputInvalid if nothing is to change.
    Each call is an edition, so a repeat makes one more with the same words. Locks: the inbox.
    """
    if message is None and isinstance(data, _Unset):
        raise InputInvalid("say what is to change: message or data")
    if message is not None:
        message_check(message)
    text = None if isinstance(data, _Unset) else data_text(data) or "null"
    with transaction.atomic():
        done = changed(
            "inbox_update(%s, %s::text[], %s::text[], %s)",
            [[notification_id], [message], [text], clock.offset()],
        )
        if not done:
            raise _refusal(notification_id)
        audit_write(
            by, "inbox.update", OBJECT, notification_id, edition=done[0].edition,
            changed=[name for name, given in (("message", message), ("data", text)) if given],
        )  # fmt: skip
    screens = _screens_by_now(notification_id, done[0].recipient_id, done[0].position)
    return Told(notification_id, done[0].state, done[0].edition, screens)


def notification_recall(*, notification_id: UUID, by: Account) -> Told:
    """Take it back: it vanishes from the screens, and from what comes after quiet hours.

    Raises NotificationUnknown, NotificationSettled. Repeat-safe: answers as the first time.
    Locks: the inbox.
    """
    with transaction.atomic():
        done = notifications_recall(notification_ids=[notification_id], by=by)
        row = (
            Notification.objects.filter(pk=notification_id)
            .values_list("state", "edition", "recipient_id", "position")
            .first()
        )
        if row is None or (not done and row[0] != State.RECALLED):
            raise _refusal(notification_id)
    state, edition, recipient_id, position = row
    screens = _screens_by_now(notification_id, recipient_id, position)
    return Told(notification_id, state, edition, screens)


@transaction.atomic
def notifications_recall(*, notification_ids: Sequence[UUID], by: Account) -> set[UUID]:
    """Take many back. Returns those that were still unread or deferred; the others stay as they are.

    An act on one is in the audit log; who acts on many writes one line for all. Repeat-safe.
    Locks: the inboxes concerned.
    """
    done = changed(
        "inbox_close(%s, %s, %s)", [list(notification_ids), State.RECALLED, clock.offset()]
    )
    if done and len(notification_ids) == 1:
        audit_write(by, "inbox.recall", OBJECT, notification_ids[0])
    return {one.notification_id for one in done}


def screens_count(notification_id: UUID) -> int:
    """How many connections were written it, by the notes of the pods."""
    found = sql.row(
        """SELECT count(DISTINCT d.client) FROM inbox_push p, unnest(p.devices) AS d (client)
        WHERE p.notification_id = %s""",
        [notification_id],
    )
    return int(found[0]) if found else 0


def _screens_by_now(notification_id: UUID, recipient_id: int, position: int | None) -> int:
    """The screens that have it, with those whose note is still on its way, within YOUNG.

    It waits only outside of a transaction: inside of one it would hold the inbox meanwhile.
    """
    screens = screens_count(notification_id)
    if position is None or transaction.get_connection().in_atomic_block:
        return screens
    age = clock.now().timestamp() - position / 1000
    until = time.monotonic() + min(YOUNG.total_seconds() - age, YOUNG.total_seconds())
    pause = threading.Event()
    while time.monotonic() < until and screens < _connections(recipient_id):
        pause.wait(_LOOK_S)
        screens = screens_count(notification_id)
    return screens


def _connections(recipient_id: int) -> int:
    found = sql.row("SELECT count(*) FROM inbox_client WHERE recipient_id = %s", [recipient_id])
    return int(found[0]) if found else 0


def _refusal(notification_id: UUID) -> NotificationUnknown | NotificationSettled:
    state = Notification.objects.filter(pk=notification_id).values_list("state", flat=True).first()
    if state is None:
        return NotificationUnknown()
    return NotificationSettled(f"notification {notification_id}: {_WHY[State(state)]}", state=state)
