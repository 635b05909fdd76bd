"""Playing backends and people: notifications given, read, and looked at."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lib import clock
from notifications.inbox.accept import accept
from notifications.inbox.models import Notification, Recipient
from notifications.inbox.reading import read_many
from notifications.inbox.recipients import recipients_find
from notifications.inbox.shapes import Draft, ReadResult, Target
from tests.races.locks import waiting

ALICE: Target = (1, "alice")
BOB: Target = (2, "bob")


def draft(*targets: Target, **fields: Any) -> Draft:
    """A draft with the least that it needs."""
    return Draft(list(targets or [ALICE]), **{"message": "Hello", "source": "shop", **fields})


def give(*targets: Target, **fields: Any) -> list[Notification]:
    """Accept a draft. Its rows, one per distinct target."""
    one = draft(*targets, **fields)
    accept([one])
    return rows(*one.ids.values())


def rows(*ids: UUID) -> list[Notification]:
    """The rows with these ids, in this order."""
    found = Notification.objects.in_bulk(ids)
    return [found[each_id] for each_id in ids]


def person(target: Target = ALICE, **wishes: Any) -> Recipient:
    """The row of a person, with wishes written into it."""
    recipient_id = recipients_find([target])[target]
    if wishes:
        Recipient.objects.filter(pk=recipient_id).update(**wishes)
    return Recipient.objects.get(pk=recipient_id)


def inbox(target: Target = ALICE) -> list[Notification]:
    """All notifications of a person, oldest first."""
    return list(Notification.objects.filter(recipient=person(target)).order_by("id"))


def read(*notifications: Notification) -> list[ReadResult]:
    """Their people ack them, in one call."""
    return read_many([(one.recipient_id, one.pk) for one in notifications])


def around_now(zone: str = "UTC") -> dict[str, Any]:
    """Quiet hours that began an hour ago and end in two, on the clock of the zone."""
    now = clock.now().astimezone(ZoneInfo(zone)).replace(microsecond=0, second=0)
    begin, end = now - timedelta(hours=1), now + timedelta(hours=2)
    return {"quiet_from": begin.time(), "quiet_to": end.time(), "time_zone": zone}


def until_waiting() -> None:
    """Until the writer, or whoever else, waits for a lock."""
    pause = threading.Event()
    while not waiting():
        pause.wait(0.01)
