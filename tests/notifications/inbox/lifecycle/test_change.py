"""Another text, and taking back: before it was read, and told to every screen by one position each."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import AuditEntry
from lib.errors import DomainError, InputInvalid
from notifications.inbox.errors import DraftInvalid, NotificationSettled, NotificationUnknown
from notifications.inbox.expiry import expired_clear
from notifications.inbox.models import State
from notifications.inbox.recall import (
    notification_recall,
    notification_update,
    notifications_recall,
)
from tests.notifications.inbox.lifecycle.play import (
    ALICE,
    BOB,
    NOBODY,
    after,
    counted,
    fresh,
    inboxes_check,
    noted,
    person,
    places,
    quiet_now,
    read,
    send,
    send_to,
)


@pytest.fixture
def boss(django_user_model: type[User]) -> User:
    return django_user_model.objects.create_user("boss")


def test_a_new_text_is_an_edition_with_a_position_of_its_own(boss: User) -> None:
    each = send("Comes on Monday", data={"order": 1})
    before = fresh(each)
    told = notification_update(notification_id=each, message="Comes on Friday", by=boss)
    row = fresh(each)
    assert (told.state, told.edition, told.screens) == ("unread", 2, 0)
    assert (row.message, row.data, row.edition) == ("Comes on Friday", {"order": 1}, 2)
    assert row.position == before.position
    assert row.version == row.edited == row.recipient.last_position
    assert row.updated_at is not None
    assert row.recipient.unread == 1
    assert (row.recipient_id, row.version) in noted()
    assert counted() == {"sent": 1, "updated": 1}
    entry = AuditEntry.objects.get()
    assert (entry.account_name, entry.action, entry.object_type, entry.object_id) == (
        "boss", "inbox.update", "notification", str(each),
    )  # fmt: skip
    assert entry.changes == {"edition": 2, "changed": ["message"]}
    inboxes_check()


@pytest.mark.parametrize(("given", "kept"), [({"order": 2}, {"order": 2}), (None, None), ({}, {})])
def test_data_is_replaced_or_taken_away(given: Any, kept: Any) -> None:
    each = send("Hello", data={"order": 1})
    notification_update(notification_id=each, data=given, by=None)
    assert (fresh(each).message, fresh(each).data) == ("Hello", kept)


def test_nothing_to_change_is_refused() -> None:
    with pytest.raises(InputInvalid):
        notification_update(notification_id=send(), by=None)


@pytest.mark.parametrize("message", ["", "x" * 4001, "NUL \x00", "half \ud800"])
def test_a_text_that_could_not_be_sent_is_refused(message: str) -> None:
    each = send()
    with pytest.raises(DraftInvalid):
        notification_update(notification_id=each, message=message, by=None)
    assert fresh(each).edition == 1


def test_data_that_is_too_large_is_refused() -> None:
    with pytest.raises(DraftInvalid):
        notification_update(notification_id=send(), data={"x": "y" * 5000}, by=None)


def test_taken_back_it_vanishes(boss: User) -> None:
    each = send()
    told = notification_recall(notification_id=each, by=boss)
    row = fresh(each)
    assert (told.state, told.edition, told.screens) == ("recalled", 1, 0)
    assert row.state == State.RECALLED
    assert row.recalled_at is not None
    position, version = places(each)
    assert version == row.recipient.last_position > position
    assert row.recipient.unread == 0
    assert (row.recipient_id, row.version) in noted()
    assert counted() == {"sent": 1, "recalled": 1}
    assert AuditEntry.objects.get().action == "inbox.recall"
    assert read(each) != "read"
    inboxes_check()


def test_taking_back_twice_answers_twice_and_acts_once(boss: User) -> None:
    each = send()
    told = [notification_recall(notification_id=each, by=boss) for _ in range(2)]
    assert told[0] == told[1]
    assert counted()["recalled"] == 1
    assert AuditEntry.objects.count() == 1


def _read(each: Any) -> None:
    read(each)


def _expire(_: Any) -> None:
    with after(minutes=16):
        expired_clear()


def _replace(_: Any) -> None:
    send("newer", collapse_key="order")


SETTLED = {"it was read already": _read, "it has expired": _expire, "a newer one": _replace}


@pytest.mark.parametrize("why", SETTLED)
def test_what_is_settled_stays_as_it_is(why: str, boss: User) -> None:
    each = send(collapse_key="order")
    SETTLED[why](each)
    before = fresh(each)
    with pytest.raises(NotificationSettled, match=why):
        notification_recall(notification_id=each, by=boss)
    with pytest.raises(NotificationSettled, match=why):
        notification_update(notification_id=each, message="Other", by=boss)
    after_all = fresh(each)
    assert (after_all.state, after_all.version, after_all.message) == (
        before.state, before.version, before.message,
    )  # fmt: skip
    assert not AuditEntry.objects.exists()


def test_what_was_taken_back_gets_no_new_text() -> None:
    each = send()
    notification_recall(notification_id=each, by=None)
    with pytest.raises(NotificationSettled, match="taken back"):
        notification_update(notification_id=each, message="Other", by=None)


def test_what_was_muted_was_never_sent() -> None:
    person(muted_sources=["shop"])
    each = send()
    with pytest.raises(NotificationSettled, match="muted"):
        notification_recall(notification_id=each, by=None)


@pytest.mark.parametrize("act", [notification_recall, notification_update])
def test_what_nobody_sent_is_unknown(act: Any) -> None:
    more = {"message": "Other"} if act is notification_update else {}
    with pytest.raises(NotificationUnknown) as caught:
        act(notification_id=NOBODY, by=None, **more)
    assert isinstance(caught.value, DomainError)
    assert caught.value.status == 404


def test_what_waits_for_quiet_hours_to_end_changes_in_silence() -> None:
    quiet_now()
    one, other = send("one"), send("other")
    assert notification_update(notification_id=one, message="better", by=None).edition == 2
    assert notification_recall(notification_id=other, by=None).state == "recalled"
    assert (fresh(one).state, fresh(one).message, fresh(one).version) == (
        State.DEFERRED, "better", None,
    )  # fmt: skip
    assert (fresh(other).state, fresh(other).version) == (State.RECALLED, None)
    assert noted() == set()
    inboxes_check()


def test_of_many_those_are_taken_back_that_nobody_has_read() -> None:
    ids = send_to([ALICE, BOB, (3, "carol")])
    read(ids[0])
    assert notifications_recall(notification_ids=[*ids, NOBODY], by=None) == set(ids[1:])
    assert notifications_recall(notification_ids=ids, by=None) == set()
    assert counted()["recalled"] == 2
    assert not AuditEntry.objects.exists()  # who acts on many writes one line for all
    inboxes_check()


def test_many_cost_as_much_as_one() -> None:
    queries = []
    for count in (1, 40):
        ids = send_to([(n + 1, "somebody") for n in range(count)])
        with CaptureQueriesContext(connection) as found:
            notifications_recall(notification_ids=[*ids, NOBODY], by=None)
        queries.append(len(found))
    assert queries[0] == queries[1] <= 3
