"""What Redis is told, and what happens when it is not there."""

import logging
import os
import threading
from collections.abc import Sequence

import orjson
import pytest
import redis
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from jobs import sql
from notifications.inbox import keys, publisher
from notifications.inbox.changes import change_cleared, change_updated
from notifications.inbox.frames import push_frame
from notifications.inbox.models import Notification, Outbox
from notifications.inbox.shapes import Change
from notifications.inbox.stream import snapshot
from notifications.inbox.window import Window, WindowAway
from tests.notifications.inbox.core.conftest import Ear
from tests.notifications.inbox.core.play import ALICE, BOB, give, person, read

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_notification_is_told_to_the_channel_of_its_person(ear: Ear) -> None:
    (row,) = give()
    (heard,) = ear.heard()
    assert heard[:4] == (row.position, 0, "n", str(row.pk))
    data = orjson.loads(heard[4])["data"]
    assert (data["notification_id"], data["stream_id"]) == (str(row.pk), f"{row.position}-0")
    assert (data["message"], data["status"], data["read"]) == ("Hello", "unread", False)


def test_a_frame_that_is_told_is_the_one_that_a_sync_would_give(ear: Ear) -> None:
    give(message="Привет", data={"n": 1}, priority=0, ttl_s=60)
    ((*_, frame),) = ear.heard()
    (shown,) = snapshot([person().pk])[person().pk].pending
    assert orjson.loads(frame) == orjson.loads(push_frame(shown))


def test_each_change_names_the_position_before_it(ear: Ear) -> None:
    (first,) = give(collapse_key="k")
    give(collapse_key="k")
    read(*Notification.objects.filter(state="unread"))
    heard = ear.heard()
    assert [kind for _, _, kind, *_ in heard] == ["n", "x", "n", "r"]
    positions = [position for position, *_ in heard]
    assert [prev for _, prev, *_ in heard] == [0, *positions[:-1]]
    assert positions == sorted(set(positions))
    assert heard[1][3] == str(first.pk)
    assert orjson.loads(heard[3][4]) == {
        "type": "notification.read.ack",
        "data": {"notification_id": heard[2][3], "stream_id": f"{heard[2][0]}-0"},
    }


def test_the_keys_are_those_of_the_source(ear: Ear) -> None:
    (row,) = give(ttl_s=60)
    read(row)
    assert publisher.flush(20)
    store = ear.redis
    assert store.xrange(keys.stream(*ALICE)) == [
        (f"{row.position}-0".encode(), {b"nid": str(row.pk).encode()})
    ]
    payload = store.get(keys.payload(str(row.pk)))
    assert isinstance(payload, bytes)
    assert orjson.loads(payload)["target"] == {"id": 1, "login": "alice"}
    ttl = store.ttl(keys.payload(str(row.pk)))
    assert isinstance(ttl, int)
    assert 0 < ttl <= 60
    assert store.hgetall(keys.read_state(*ALICE)) == {str(row.pk).encode(): b"read"}
    prefix = keys.channel(0).removesuffix("inbox:0")
    assert keys.stream(*ALICE) == f"{prefix}stream:user:1-alice"
    assert keys.read_state(*ALICE) == f"{prefix}notification_state:1-alice"
    assert keys.payload("x") == f"{prefix}notification:x"
    assert keys.retention(*ALICE) == f"{prefix}notif:retention:1-alice"


def test_a_stream_keeps_a_hundred(ear: Ear) -> None:
    for _ in range(keys.STREAM_LENGTH + 5):
        give()
    assert publisher.flush(20)
    assert ear.redis.xlen(keys.stream(*ALICE)) == keys.STREAM_LENGTH


def test_what_changed_or_ended_changes_its_payload(ear: Ear) -> None:
    (row,) = give()
    assert publisher.flush(20)
    (shown,) = snapshot([row.recipient_id])[row.recipient_id].pending
    shown.message, shown.version = "mended", shown.version + 1
    publisher.publish([change_updated(shown, ALICE, prev=shown.position, ttl_s=60)])
    assert publisher.flush(20)
    payload = ear.redis.get(keys.payload(str(row.pk)))
    assert isinstance(payload, bytes)
    assert orjson.loads(payload)["message"] == "mended"
    publisher.publish([
        change_cleared(
            row.recipient_id, ALICE, str(row.pk),
            stream=shown.position, position=shown.version + 1, prev=shown.version,
        )
    ])  # fmt: skip
    assert publisher.flush(20)
    assert not ear.redis.exists(keys.payload(str(row.pk)))


def test_what_was_told_is_forgotten_by_the_outbox(ear: Ear) -> None:
    read(*give(ALICE, BOB))
    assert publisher.flush(20)
    assert len(ear.heard()) == 4
    assert not Outbox.objects.exists()


def test_only_who_is_shown_it_is_told(ear: Ear) -> None:
    person(ALICE, muted_sources=["shop"])
    _, shown = give(ALICE, BOB)
    assert [each_id for *_, each_id, _ in ear.heard()] == [str(shown.pk)]


def test_without_a_database_it_is_told_and_stays_in_the_outbox(
    ear: Ear, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    person()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")  # for who connects anew
    give()
    assert len(ear.heard()) == 1
    monkeypatch.undo()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert Outbox.objects.count() == 1


def test_what_is_rolled_back_is_never_told(ear: Ear) -> None:
    with transaction.atomic():
        give()
        transaction.set_rollback(True)
    give(BOB)
    assert [position for position, *_ in ear.heard()] == [person(BOB).last_position]
    assert not Notification.objects.filter(recipient=person()).exists()


def test_nothing_is_told_before_it_is_committed(ear: Ear) -> None:
    with transaction.atomic():
        give()
        assert ear.heard() == []
    assert len(ear.heard()) == 1


def test_what_is_told_twice_stands_in_the_stream_once(ear: Ear) -> None:
    (row,) = give()
    again = Change(row.recipient_id, *ALICE, row.position or 0, 0, "n", str(row.pk), "{}", "{}", 60)
    publisher.publish([again])
    assert [position for position, *_ in ear.heard()] == [row.position, row.position]
    assert ear.redis.xlen(keys.stream(*ALICE)) == 1


def test_what_comes_late_stands_in_its_place_in_the_stream(ear: Ear) -> None:
    late, *others = (row for _ in range(4) for row in give())
    assert publisher.flush(20)
    stream = keys.stream(*ALICE)
    in_order = ear.redis.xrange(stream)
    ear.redis.xgroup_create(stream, "outsiders", id="0")
    for gone in (late, others[1]):
        ear.redis.xdel(stream, f"{gone.position}-0")
        change = Change(
            gone.recipient_id, *ALICE, gone.position or 0, 0, "n", str(gone.pk), "{}", "{}", 60
        )
        publisher.publish([change])
    assert publisher.flush(20)
    assert ear.redis.xrange(stream) == in_order
    assert len(ear.redis.xinfo_groups(stream)) == 1


def test_what_is_published_while_it_stops_is_published(ear: Ear) -> None:
    for _ in range(5):
        give()
        publisher.stop()
        give()
    assert len(ear.heard()) == 10


def test_without_redis_it_is_accepted_and_waits_in_the_outbox(
    settings: Settings, closed_port: int, transactional_db: None, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port}/0"
    with caplog.at_level(logging.INFO, "notifications.inbox.publisher"):
        (row,) = give()
        assert publisher.flush(20)
        give()
        assert publisher.flush(20)
    assert [record.levelname for record in caplog.records] == ["WARNING"]  # once per outage
    assert Outbox.objects.count() == 2
    row.refresh_from_db()
    assert row.state == "unread"


def test_when_redis_is_back_it_is_told_again_and_the_relay_is_called(
    ear: Ear, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(publisher, "PAUSE_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(Window, "write", _refuse)
        (lost,) = give()
        assert publisher.flush(20)
    with connection.cursor() as cursor:
        cursor.execute("LISTEN jobs_wake")
    with caplog.at_level(logging.INFO, "notifications.inbox.publisher"):
        give(BOB)
        assert len(ear.heard()) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert connection.connection is not None
    calls = [n.payload for n in connection.connection.notifies(timeout=5, stop_after=1)]
    assert calls == ["inbox.relay_unpushed"]
    assert [note.positions for note in Outbox.objects.all()] == [[lost.position]]


def _refuse(*_: object) -> None:
    raise WindowAway("ConnectionError")


def test_a_redis_that_forgot_everything_is_told_all_the_same(ear: Ear) -> None:
    give()
    assert len(ear.heard()) == 1
    ear.redis.script_flush()
    for key in ear.redis.scan_iter(f"{keys.stream(0, '')[:-2]}*"):
        ear.redis.delete(key)
    give()
    assert len(ear.heard()) == 1
    assert ear.redis.xlen(keys.stream(*ALICE)) == 1


def test_a_connection_that_was_cut_is_opened_again(ear: Ear) -> None:
    give()
    assert len(ear.heard()) == 1
    window = publisher._publisher._window
    assert window is not None
    # Only that one: the tests of others use the same server.
    assert ear.redis.client_kill_filter(_id=str(window._redis.client_id())) == 1
    give()
    assert len(ear.heard()) == 1
    assert not Outbox.objects.exists()


def test_too_much_is_left_to_the_relay(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, may_write = threading.Event(), threading.Event()
    write = Window.write

    def write_late(window: Window, changes: Sequence[Change]) -> None:
        writing.set()
        assert may_write.wait(20)
        write(window, changes)

    monkeypatch.setattr(Window, "write", write_late)
    monkeypatch.setattr(publisher, "MAX_WAITING", 1)
    give(ALICE)
    assert writing.wait(20)
    give(BOB)
    (left,) = give((3, "carol"))
    may_write.set()
    assert len(ear.heard()) == 2
    assert [note.positions for note in Outbox.objects.all()] == [[left.position]]


def test_a_child_process_tells_by_itself(ear: Ear) -> None:
    give()
    assert len(ear.heard()) == 1
    child = os.fork()
    if child == 0:  # it shares nothing with us but the code
        status = 1
        try:
            connection.connection = None  # the parent's; closing it would end the parent's session
            give(BOB)
            status = 0 if publisher.flush(20) and sql.row("SELECT 1") == (1,) else 1
            publisher.stop()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert [kind for _, _, kind, *_ in ear.heard()] == ["n"]
    assert not Outbox.objects.exists()


def test_the_window_writes_many_in_pieces(ear: Ear) -> None:
    give(*((n, "crowd") for n in range(600)))
    assert len(ear.heard()) == 600
    assert isinstance(ear.redis, redis.Redis)
