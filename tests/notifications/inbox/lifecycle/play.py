"""Short words for inboxes: send, read, look at rows, and what must hold of every inbox."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from lib import clock
from notifications.inbox import stats
from notifications.inbox.accept import accept
from notifications.inbox.models import Notification, Outbox, Recipient, State
from notifications.inbox.reading import read_many
from notifications.inbox.recipients import recipients_find
from notifications.inbox.shapes import Draft, Target

ALICE: Target = (1, "alice")
BOB: Target = (2, "bob")
NOBODY = UUID("01900000-0000-7000-8000-000000000001")


def person(target: Target = ALICE, **wishes: Any) -> Recipient:
    """The row of a person, with these columns."""
    recipient_id = recipients_find([target])[target]
    Recipient.objects.filter(pk=recipient_id).update(**wishes)
    return Recipient.objects.get(pk=recipient_id)


def send(text: str = "Hello", *, to: Target = ALICE, source: str = "shop", **fields: Any) -> UUID:
    """One notification to one person. Returns its id."""
    return send_to([to], text, source=source, **fields)[0]


def send_to(targets: list[Target], text: str = "Hello", **fields: Any) -> list[UUID]:
    """One message to many."""
    draft = Draft(targets, text, fields.pop("source", "shop"), **fields)
    accept([draft])
    return list(draft.ids.values())


def read(notification_id: UUID) -> str:
    """Read it as its person. Returns what came of it: read, already, unknown."""
    return read_many([(fresh(notification_id).recipient_id, notification_id)])[0].result


def fresh(notification_id: UUID) -> Notification:
    """The row as it stands in the table."""
    return Notification.objects.select_related("recipient").get(pk=notification_id)


def state(notification_id: UUID) -> str:
    return fresh(notification_id).state


def places(notification_id: UUID) -> tuple[int, int]:
    """Where it stands in the inbox, and the position of its latest change."""
    row = fresh(notification_id)
    assert row.position is not None
    assert row.version is not None
    return row.position, row.version


def counted() -> dict[str, int]:
    """What was counted, without what never happened."""
    return {event: count for event, count in stats.totals().items() if count}


def noted() -> set[tuple[int, int]]:
    """(recipient id, position) of the changes that wait to be published."""
    return {
        pair
        for row in Outbox.objects.all()
        for pair in zip(row.recipient_ids, row.positions, strict=True)
    }


def after(**span: float) -> Any:
    """A clock that is later by so much: with after(minutes=16): ..."""
    return clock.shift(timedelta(**span))


def inboxes_check() -> None:
    """What holds of all inboxes at any time between two transactions."""
    rows = Notification.objects.all()
    for recipient in Recipient.objects.all():
        own = rows.filter(recipient=recipient)
        assert recipient.unread == own.filter(state=State.UNREAD).count()
        versions = [version for version in own.values_list("version", flat=True) if version]
        assert len(versions) == len(set(versions))
        assert max(versions, default=0) <= recipient.last_position
    assert not rows.filter(version__lt=F("position")).exists()
    assert not rows.filter(Q(state=State.DEFERRED) & Q(position__isnull=False)).exists()


def quiet_now(target: Target = ALICE, **wishes: Any) -> Recipient:
    """Quiet hours that have begun and end in an hour or two, in UTC."""
    now = clock.now()
    begin, end = now - timedelta(hours=1), now.replace(minute=0, second=0) + timedelta(hours=2)
    return person(
        target, quiet_from=begin.time(), quiet_to=end.time().replace(microsecond=0), **wishes
    )
