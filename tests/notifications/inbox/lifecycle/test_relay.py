"""What nobody published is published by the relay; a lost window in Redis is filled again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django_redis import get_redis_connection

from jobs import sql
from jobs.pool.looks import work_look
from jobs.testing import assert_enqueued, assert_not_enqueued, drain, job_perform
from lib import clock
from notifications.inbox import keys, metrics, publisher, rebuild, relay
from notifications.inbox.expiry import expired_clear
from notifications.inbox.models import Outbox
from notifications.inbox.positions import stream_id
from notifications.inbox.rebuild import MARKER, window_is_lost, window_rebuild
from notifications.inbox.recall import notification_recall, notification_update
from notifications.inbox.relay import Relayed, unpushed_relay
from notifications.inbox.shapes import Target
from tests.notifications.inbox.lifecycle.heard import Ear
from tests.notifications.inbox.lifecycle.play import (
    ALICE,
    BOB,
    after,
    fresh,
    noted,
    person,
    read,
    send,
    send_to,
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay waits for nobody."""
    monkeypatch.setattr(relay, "PATIENCE_S", 0)


@contextmanager
def nobody_publishes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the process died between its commit and the publishing."""
    with monkeypatch.context() as patch:
        patch.setattr(publisher._publisher, "add", lambda batch: None)
        yield


def stream() -> list[tuple[str, str]]:
    found = get_redis_connection("default").xrange(keys.stream(*ALICE))
    return [(place.decode(), entry[b"nid"].decode()) for place, entry in found]


def place(each: object) -> str:
    return stream_id(fresh(each).position or 0)  # type: ignore[arg-type]


def test_what_a_dead_process_left_is_published(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_publishes(monkeypatch):
        ids = send_to([ALICE, BOB])
    assert ear.nothing()
    assert unpushed_relay().changes == 2
    heard = ear.changes(2)
    assert {(one.kind, one.notification_id) for one in heard} == {("n", str(each)) for each in ids}
    assert stream() == [(place(ids[0]), str(ids[0]))]
    assert get_redis_connection("default").exists(keys.payload(str(ids[0])))
    assert not Outbox.objects.exists()
    assert unpushed_relay().changes == 0
    assert ear.nothing()


def test_every_kind_of_change_is_published_as_it_would_have_been(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    updated, seen, recalled, cleared = [send(str(n), ttl_s=900 + n) for n in range(4)]
    older = send("older", collapse_key="k")
    ear.changes(5)
    assert publisher.flush()
    with nobody_publishes(monkeypatch):
        notification_update(notification_id=updated, message="better", by=None)
        read(seen)
        notification_recall(notification_id=recalled, by=None)
        newer = send("newer", collapse_key="k")
        with after(seconds=904):
            expired_clear()
    unpushed_relay()
    kinds = {one.notification_id: one for one in ear.changes(5 + 1)}
    assert kinds[str(seen)].type == "notification.read.ack"
    assert kinds[str(recalled)].data["reason"] == "recalled"
    assert kinds[str(older)].data["reason"] == "replaced"
    assert kinds[str(cleared)].type == "notification.auto_cleared"
    assert {str(updated), str(newer)} <= set(kinds)
    assert ear.nothing()


def test_who_does_not_know_the_position_before_finds_a_hole(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nobody_publishes(monkeypatch):
        send("one")
        each = send("two")
        read(each)  # its first position tells nothing any more
    unpushed_relay()
    first, second = ear.changes(2)
    assert (first.kind, second.kind) == ("n", "r")
    assert second.prev > first.position or second.position == first.position + 1
    assert second.prev == second.position - 1
    assert ear.nothing()


def test_what_is_young_is_left_to_its_publisher(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "PATIENCE_S", 2)
    with nobody_publishes(monkeypatch):
        send()
    assert unpushed_relay().changes == 0
    Outbox.objects.update(created_at=clock.now() - timedelta(seconds=3))
    assert unpushed_relay().changes == 1


def test_while_redis_is_away_it_waits(
    committed: None, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    with nobody_publishes(monkeypatch):
        send()
    waiting = noted()
    address = f"redis://127.0.0.1:{closed_port}/0"
    cache = {**settings.CACHES["default"], "LOCATION": address}
    with override_settings(REDIS_URL=address, CACHES={"default": cache}):
        assert unpushed_relay() == Relayed(0, is_away=True, is_lost=False)
        assert job_perform("inbox.rebuild_window").result["is_away"]  # type: ignore[union-attr]
    assert noted() == waiting
    assert unpushed_relay().changes == 1


def test_a_stream_stays_in_order_though_an_older_one_comes_late(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nobody_publishes(monkeypatch):
        late = send("late")
    early = send("early")
    ear.changes(1)
    assert stream() == [(place(early), str(early))]
    unpushed_relay()
    assert stream() == [(place(late), str(late)), (place(early), str(early))]


def test_what_was_read_before_it_was_ever_published_gets_its_place(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nobody_publishes(monkeypatch):
        each = send("late")
        read(each)
    other = send("early")
    ear.changes(1)
    assert publisher.flush()
    unpushed_relay()
    assert stream() == [(place(each), str(each)), (place(other), str(other))]
    read_state = get_redis_connection("default").hgetall(keys.read_state(*ALICE))
    assert read_state == {str(each).encode(): b"read"}


def test_large_rows_are_taken_by_and_by(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "BATCH", 3)
    with nobody_publishes(monkeypatch):
        for _ in range(4):
            send_to([ALICE, BOB])
    assert unpushed_relay().changes == 8
    assert not Outbox.objects.exists()


def test_the_relay_rests_where_all_is_published(committed: None) -> None:
    window_rebuild()
    with CaptureQueriesContext(connection) as found:
        assert unpushed_relay() == Relayed(0, is_away=False, is_lost=False)
    assert len(found) == 1


def is_looked_for() -> bool:
    return sql.row(relay.LOOK, {"now": clock.now()}) is not None


def test_what_a_publisher_is_about_to_take_is_not_looked_for(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_looked_for()
    with nobody_publishes(monkeypatch):
        send()
    assert not is_looked_for()
    Outbox.objects.update(created_at=Now() - timedelta(seconds=3))
    assert is_looked_for()
    assert "inbox.relay_unpushed" in work_look()
    drain(queues=["notifications"])
    assert not Outbox.objects.exists()
    assert not is_looked_for()
    assert "inbox.relay_unpushed" not in work_look()


def test_how_far_the_relay_is_behind_is_told(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lag_s() -> float:
        (found,) = [each for each in metrics.collect() if each.name == "relay_lag_seconds"]
        return float(found.samples[0].value)

    assert lag_s() == 0
    with nobody_publishes(monkeypatch):
        for age_s in (500, 100):
            send()
            newest = Outbox.objects.order_by("-id")[:1].values("id")
            Outbox.objects.filter(id__in=newest).update(created_at=Now() - timedelta(seconds=age_s))
    assert 500 <= lag_s() < 600
    unpushed_relay()
    assert lag_s() == 0


def test_a_lost_window_is_found_and_filled_again(ear: Ear) -> None:
    redis = get_redis_connection("default")
    person(retention_days=9)
    unread, seen, cleared = send("unread"), send("seen"), send("cleared", ttl_s=60)
    read(seen)
    with after(seconds=61):
        expired_clear()
    ear.changes(5)
    assert publisher.flush()
    before = stream()
    for key in redis.scan_iter(f"{keys.CONTROL.split('inbox')[0]}*"):
        redis.delete(key)
    assert window_is_lost()
    job_perform("inbox.relay_unpushed")
    assert_enqueued("inbox.rebuild_window")
    drain(queues=["notifications"])
    assert not window_is_lost()
    assert stream() == before
    assert redis.hgetall(keys.read_state(*ALICE)) == {str(seen).encode(): b"read"}
    assert b'"unread"' in redis.get(keys.payload(str(unread)))
    assert 0 < redis.ttl(keys.payload(str(unread))) <= 900
    assert not redis.exists(keys.payload(str(cleared)))
    assert redis.get(keys.retention(*ALICE)) == b"9"
    assert ear.nothing()
    job_perform("inbox.relay_unpushed")
    assert_not_enqueued("inbox.rebuild_window")


def test_filling_again_loses_nothing_newer(ear: Ear) -> None:
    redis = get_redis_connection("default")
    each = send("kept")
    ear.changes(1)
    newer = f"{(fresh(each).position or 0) + 5}-0"
    redis.xadd(keys.stream(*ALICE), {"nid": "newer"}, id=newer)
    redis.set(keys.payload(str(each)), "a newer text")
    window_rebuild()
    assert stream() == [(place(each), str(each)), (newer, "newer")]
    assert redis.get(keys.payload(str(each))) == b"a newer text"


def test_what_is_taken_back_amid_the_filling_leaves_no_payload(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = send("secret")
    assert publisher.flush()
    person_of = rebuild._person

    def meanwhile(target: Target, found: list[Any]) -> dict[str, Any]:
        written = person_of(target, found)
        notification_recall(notification_id=each, by=None)
        assert publisher.flush()
        return written

    monkeypatch.setattr(rebuild, "_person", meanwhile)
    window_rebuild()
    assert not get_redis_connection("default").exists(keys.payload(str(each)))


def test_the_window_holds_a_hundred(committed: None) -> None:
    for n in range(105):
        send(str(n))
    publisher.flush()
    get_redis_connection("default").delete(keys.stream(*ALICE), MARKER)
    window_rebuild()
    found = stream()
    assert len(found) == 100
    assert fresh(found[-1][1]).message == "104"  # type: ignore[arg-type]


def test_who_was_silent_for_long_stays_away(committed: None) -> None:
    with clock.shift(timedelta(days=-2)):
        send()
    publisher.flush()
    get_redis_connection("default").delete(keys.stream(*ALICE))
    assert window_rebuild() == 0
    assert stream() == []
