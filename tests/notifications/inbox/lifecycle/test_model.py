"""Whatever happens to an inbox, in whatever order: what a client makes of the changes it is told is what
the inbox shows, and no count is off."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib import clock
from lib.errors import DomainError
from notifications.inbox.expiry import expired_clear, notifications_expire
from notifications.inbox.models import Notification, Recipient, Stat
from notifications.inbox.quiet import deferred_release
from notifications.inbox.recall import notification_recall, notification_update
from notifications.inbox.stream import changes_since, snapshot
from tests.notifications.inbox.lifecycle.play import (
    counted,
    inboxes_check,
    person,
    quiet_now,
    read,
    send,
)

OPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "send",
                "send",
                "replace",
                "read",
                "update",
                "recall",
                "expire",
                "hush",
                "wake",
                "sync",
            ]
        ),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=25,
)


class Client:
    """What somebody shows who hears of changes only."""

    def __init__(self, recipient_id: int) -> None:
        self.recipient_id = recipient_id
        self.position = 0
        self.shown: dict[str, tuple[str, str]] = {}  # id -> (text, status)

    def sync(self) -> None:
        found = changes_since([(self.recipient_id, self.position)])[self.recipient_id]
        assert found.complete
        before = self.position
        for missed in found.missed:
            assert missed.prev == before < missed.position
            before = missed.position
            self._take(orjson.loads(missed.frame))
        assert before <= found.last_position
        self.position = found.last_position

    def _take(self, frame: dict[str, Any]) -> None:
        data, each = frame["data"], frame["data"]["notification_id"]
        match frame["type"]:
            case "notification.push":
                assert each not in self.shown
                self.shown[each] = (data["message"], data["status"])
            case "notification.update":
                self.shown[each] = (data["message"], self.shown[each][1])
            case "notification.read.ack":
                self.shown[each] = (self.shown[each][0], "read")
            case "notification.auto_cleared":
                self.shown[each] = (self.shown[each][0], "auto_cleared")
            case "notification.recall":
                del self.shown[each]


def shown_by(recipient_id: int) -> dict[str, tuple[str, str]]:
    found = snapshot([recipient_id], limit=1000)[recipient_id]
    return {
        row.notification_id: (row.message, row.state) for row in (*found.pending, *found.recent)
    }


def play(name: str, pick: int) -> None:
    ids = list(Notification.objects.order_by("id").values_list("pk", flat=True))
    acts: dict[str, Callable[[UUID], Any]] = {
        "read": read,
        "update": lambda each: notification_update(notification_id=each, message="new", by=None),
        "recall": lambda each: notification_recall(notification_id=each, by=None),
        "expire": lambda each: notifications_expire(notification_ids=[each], by=None),
    }
    if name == "send":
        send(f"text {len(ids)}", priority=pick % 4)
    elif name == "replace":
        send(f"text {len(ids)}", collapse_key=f"key {pick % 2}")
    elif name == "hush":
        quiet_now()
    elif name == "wake":
        person(quiet_from=None, quiet_to=None)
        Notification.objects.filter(state="deferred").update(deliver_at=clock.now())
        deferred_release()
    elif name in acts and ids:
        try:
            acts[name](ids[-1 - pick % len(ids)])
        except DomainError:
            return  # settled: the counts below hold all the same


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPS)
def test_a_client_that_hears_of_changes_shows_what_the_inbox_shows(
    db: None, ops: list[tuple[str, int]]
) -> None:
    for model in (Notification, Recipient, Stat):
        model.objects.all().delete()
    client = Client(person().pk)
    for name, pick in ops:
        if name == "sync":
            client.sync()
        else:
            play(name, pick)
    with clock.shift(timedelta(minutes=16)):
        expired_clear()
    client.sync()
    assert client.shown == shown_by(client.recipient_id)
    assert "unread" not in {status for _, status in client.shown.values()}
    inboxes_check()
    told = counted()
    states = list(Notification.objects.values_list("state", flat=True))
    assert told.get("recalled", 0) == states.count("recalled")
    assert told.get("replaced", 0) == states.count("replaced")
    assert told.get("acked", 0) == states.count("read")
    assert told.get("sent", 0) == Notification.objects.exclude(position=None).count()
