"""What is unread when its time is over is cleared: soon, once, and for what is due only."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued, assert_not_enqueued, drain, job_perform
from lib import clock
from notifications.inbox.expiry import (
    BATCH,
    expired_clear,
    next_expiry_at,
    notifications_expire,
)
from notifications.inbox.models import Notification, State
from tests.notifications.inbox.lifecycle.play import (
    ALICE,
    BOB,
    NOBODY,
    after,
    counted,
    fresh,
    inboxes_check,
    noted,
    places,
    read,
    send,
    send_to,
    state,
)


def test_what_is_unread_is_cleared_when_its_time_is_over() -> None:
    short, long = send(ttl_s=60), send(ttl_s=3600)
    with after(seconds=59):
        assert expired_clear() == 0
    with after(seconds=61):
        assert expired_clear() == 1
    row = fresh(short)
    assert row.state == State.AUTO_CLEARED
    assert row.cleared_at is not None
    assert row.version == row.recipient.last_position
    position, version = places(short)
    assert version > position
    assert row.recipient.unread == 1
    assert state(long) == State.UNREAD
    assert counted() == {"sent": 2, "auto_cleared": 1}
    assert (row.recipient_id, version) in noted()
    inboxes_check()


def test_clearing_again_clears_nothing() -> None:
    send()
    with after(minutes=16):
        assert [expired_clear(), expired_clear()] == [1, 0]
    assert counted()["auto_cleared"] == 1


def test_what_was_read_in_time_is_not_cleared() -> None:
    each = send()
    read(each)
    with after(minutes=16):
        assert expired_clear() == 0
    assert state(each) == State.READ


def test_what_was_cleared_may_still_be_read() -> None:
    each = send()
    with after(minutes=16):
        expired_clear()
        assert read(each) == "read"
    assert state(each) == State.READ
    inboxes_check()


def test_several_of_one_person_take_positions_in_their_order() -> None:
    ids = [send(str(n)) for n in range(3)]
    with after(minutes=16):
        expired_clear()
    versions = [places(each)[1] for each in ids]
    assert versions == sorted(versions)
    assert len(set(versions)) == 3
    inboxes_check()


def test_all_batches_are_cleared_in_one_run() -> None:
    count = BATCH + 20
    send_to([(n + 1, "somebody") for n in range(count)])
    with after(minutes=16):
        assert expired_clear() == count
    inboxes_check()


def test_a_run_is_bounded() -> None:
    send_to([(n + 1, "somebody") for n in range(BATCH + 20)])
    with after(minutes=16):
        assert expired_clear(batches=1) == BATCH
        assert next_expiry_at() is not None


def _queries(**span: float) -> int:
    with (
        after(**span),
        CaptureQueriesContext(
            connection,
        ) as found,
    ):
        expired_clear()
    return len([query for query in found if "SAVEPOINT" not in query["sql"]])


def test_the_cost_follows_what_is_due() -> None:
    send_to([(n + 1, "somebody") for n in range(50)])
    assert _queries() == 1
    assert _queries(minutes=16) == 3  # look, clear, look again


def test_the_job_comes_again_when_the_next_one_is_due() -> None:
    send(ttl_s=30)
    job_perform("inbox.clear_expired")
    due_at = next_expiry_at()
    assert due_at is not None
    assert assert_enqueued("inbox.clear_expired").run_at == due_at
    with after(seconds=31):
        drain()
    assert counted()["auto_cleared"] == 1


def test_the_job_keeps_a_pace() -> None:
    send(ttl_s=1)
    job_perform("inbox.clear_expired")
    assert assert_enqueued("inbox.clear_expired").run_at > clock.now() + timedelta(seconds=3)


def test_the_job_rests_where_nothing_is_due_soon() -> None:
    send(ttl_s=3600)
    outcome = job_perform("inbox.clear_expired")
    assert outcome.result == {"cleared": 0}  # type: ignore[union-attr]
    assert_not_enqueued("inbox.clear_expired")


def test_an_operator_lets_one_expire(django_user_model: type[User]) -> None:
    boss = django_user_model.objects.create_user("boss")
    each = send()
    assert notifications_expire(notification_ids=[each], by=boss) == {each}
    assert state(each) == State.AUTO_CLEARED
    entry = AuditEntry.objects.get()
    assert (entry.account_name, entry.action, entry.object_id) == (
        "boss",
        "inbox.expire",
        str(each),
    )


def test_of_many_those_expire_that_are_unread() -> None:
    ids = send_to([ALICE, BOB])
    read(ids[0])
    assert notifications_expire(notification_ids=[*ids, NOBODY], by=None) == {ids[1]}
    assert notifications_expire(notification_ids=ids, by=None) == set()
    assert not AuditEntry.objects.exists()  # who acts on many writes one line for all
    assert set(Notification.objects.values_list("state", flat=True)) == {"read", "auto_cleared"}
    inboxes_check()
