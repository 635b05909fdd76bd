"""Acks: each counts once, whoever sends it how often."""

from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.inbox.models import Notification, Outbox, Stat
from notifications.inbox.reading import read_many
from tests.notifications.inbox.core.play import (
    ALICE,
    BOB,
    around_now,
    give,
    inbox,
    person,
    read,
)


def test_what_is_read_is_read() -> None:
    (row,) = give()
    (result,) = read(row)
    stream = row.position
    row.refresh_from_db()
    assert (result.result, result.position, result.stream) == ("read", row.version, stream)
    assert (row.state, row.position) == ("read", stream)
    assert row.read_at is not None
    assert (person().unread, person().last_position) == (0, row.version)
    assert Outbox.objects.latest("id").positions == [row.version]
    assert Stat.objects.get(event="acked").count == 1


def test_an_ack_that_comes_again_changes_nothing() -> None:
    (row,) = give()
    read(row)
    before = Notification.objects.values().get(), person().last_position, Outbox.objects.count()
    (again,) = read(row)
    assert (again.result, again.position, again.stream) == ("already", None, row.position)
    assert before == (
        Notification.objects.values().get(), person().last_position, Outbox.objects.count(),
    )  # fmt: skip
    assert Stat.objects.get(event="acked").count == 1


def test_an_ack_that_comes_twice_in_one_call_counts_once() -> None:
    (row,) = give()
    first, second = read(row, row)
    assert (first.result, second.result) == ("read", "already")
    assert person().unread == 0


def test_nobody_reads_what_is_somebody_elses() -> None:
    (row,) = give(ALICE)
    stranger = person(BOB)
    foreign, unknown = read_many([(stranger.pk, row.pk), (stranger.pk, uuid4())])
    assert (foreign.result, unknown.result) == ("unknown", "unknown")
    assert (foreign.stream, foreign.position) == (None, None)
    row.refresh_from_db()
    assert row.state == "unread"


def test_somebody_who_does_not_exist_reads_nothing() -> None:
    (row,) = give()
    assert [r.result for r in read_many([(0, row.pk)])] == ["unknown"]


def test_many_acks_of_many_people_are_told_apart_in_their_order() -> None:
    crowd = [(n, "crowd") for n in range(20)]
    given = give(*crowd)
    read(*given[::2])
    results = read(*given)
    assert [r.result for r in results] == ["already", "read"] * 10
    assert [r.notification_id for r in results] == [row.pk for row in given]
    assert all(person(target).unread == 0 for target in crowd)


def test_several_acks_of_one_person_take_positions_in_their_order() -> None:
    given = [row for _ in range(4) for row in give()]
    results = read(*given)
    positions = [result.position or 0 for result in results]
    assert positions == sorted(set(positions))
    assert positions[0] > (given[-1].position or 0)
    assert person().last_position == positions[-1]


def test_what_expired_can_still_be_read() -> None:
    (row,) = give()
    Notification.objects.update(state="auto_cleared")
    (result,) = read(row)
    assert result.result == "read"
    assert inbox()[0].state == "read"


def test_it_does_not_count_as_unread_twice() -> None:
    (row,) = give()
    person(unread=0)
    Notification.objects.update(state="auto_cleared")
    read(row)
    assert person().unread == 0


def test_what_was_taken_back_is_answered_and_stays_so() -> None:
    for state in ("recalled", "replaced"):
        (row,) = give()
        Notification.objects.filter(pk=row.pk).update(state=state)
        assert read(row)[0].result == "already"
        row.refresh_from_db()
        assert row.state == state


def test_what_was_never_shown_is_unknown() -> None:
    person(**around_now(), muted_sources=["ads"])
    for source, state in (("shop", "deferred"), ("ads", "muted")):
        (row,) = give(source=source)
        assert row.state == state
        assert read(row)[0].result == "unknown"


def test_no_acks_cost_nothing_and_hundreds_one_query() -> None:
    given = give(*((n, "crowd") for n in range(300)))
    with CaptureQueriesContext(connection) as queries:
        assert read_many([]) == []
        read(*given)
    assert len(queries) == 1
