"""Each change is published as it commits: one message, in the chain of its person."""

from datetime import timedelta

from django.db import transaction
from django_redis import get_redis_connection

from notifications.inbox import keys
from notifications.inbox.expiry import expired_clear
from notifications.inbox.models import Outbox
from notifications.inbox.positions import stream_id
from notifications.inbox.quiet import deferred_release
from notifications.inbox.recall import notification_recall, notification_update
from tests.notifications.inbox.lifecycle.heard import Ear
from tests.notifications.inbox.lifecycle.play import (
    ALICE,
    BOB,
    after,
    fresh,
    quiet_now,
    read,
    send,
    send_to,
)


def test_the_whole_life_of_a_notification_is_one_chain(ear: Ear) -> None:
    each = send("one", ttl_s=600)
    notification_update(notification_id=each, message="two", by=None)
    notification_recall(notification_id=each, by=None)
    heard = ear.changes(3)
    assert [(one.kind, one.type) for one in heard] == [
        ("n", "notification.push"), ("u", "notification.update"), ("x", "notification.recall"),
    ]  # fmt: skip
    assert [one.prev for one in heard] == [0, *(one.position for one in heard[:2])]
    assert {one.notification_id for one in heard} == {str(each)}
    row = fresh(each)
    assert {one.channel for one in heard} == {keys.channel(row.recipient_id)}
    place = stream_id(row.position or 0)
    assert heard[1].data | {"position": 0} == {
        "notification_id": str(each), "stream_id": place, "message": "two", "edition": 2,
        "data": None, "position": 0,
    }  # fmt: skip
    assert (heard[2].data["stream_id"], heard[2].data["reason"]) == (place, "recalled")
    assert heard[2].position == row.version
    assert ear.nothing()
    assert not Outbox.objects.exists()


def test_what_expires_is_told_in_the_order_of_positions(ear: Ear) -> None:
    send_to([ALICE, BOB])
    send_to([ALICE, BOB])
    ear.changes(4)
    with after(minutes=16):
        expired_clear()
        heard = ear.changes(4)
    assert {(one.kind, one.type) for one in heard} == {("c", "notification.auto_cleared")}
    for channel in {one.channel for one in heard}:
        first, second = [one for one in heard if one.channel == channel]
        assert second.prev == first.position
    assert ear.nothing()


def test_the_payload_follows_the_text_and_goes_with_it(ear: Ear) -> None:
    redis = get_redis_connection("default")
    each = send("one", ttl_s=600)
    notification_update(notification_id=each, message="two", by=None)
    ear.changes(2)
    key = keys.payload(str(each))
    assert b'"two"' in redis.get(key)
    assert 590 < redis.ttl(key) <= 600
    notification_recall(notification_id=each, by=None)
    ear.changes(1)
    assert not redis.exists(key)


def test_what_comes_after_quiet_hours_is_new(ear: Ear) -> None:
    quiet_now()
    each = send("good morning")
    assert ear.nothing()
    with after(hours=3):
        deferred_release()
        (heard,) = ear.changes(1)
    assert (heard.kind, heard.data["message"], heard.data["read"]) == ("n", "good morning", False)
    ((place, entry),) = get_redis_connection("default").xrange(keys.stream(*ALICE))
    assert (place.decode(), entry) == (stream_id(heard.position), {b"nid": str(each).encode()})


def test_what_was_never_shown_is_recalled_in_silence(ear: Ear) -> None:
    quiet_now()
    notification_recall(notification_id=send(), by=None)
    assert ear.nothing()


def test_what_is_rolled_back_is_never_told(ear: Ear) -> None:
    each = send()
    ear.changes(1)
    with transaction.atomic():
        notification_recall(notification_id=each, by=None)
        transaction.set_rollback(True)
    assert ear.nothing()
    assert read(each) == "read"


def test_a_position_is_milliseconds_of_the_moment(ear: Ear) -> None:
    each = send()
    with after(minutes=16):
        expired_clear()
    row = fresh(each)
    assert row.version is not None
    assert row.cleared_at is not None
    assert abs(row.cleared_at.timestamp() * 1000 - row.version) < 2
    assert row.cleared_at - row.accepted_at > timedelta(minutes=15)
