"""Accepting: rows, positions, counts, and what is noted for publishing."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lib import clock
from lib.context import correlated
from notifications.inbox.accept import SMALL, accept
from notifications.inbox.errors import DraftInvalid
from notifications.inbox.models import Notification, Outbox, Recipient, Stat
from tests.notifications.inbox.core.play import ALICE, BOB, draft, give, inbox, person, read


def test_each_target_gets_its_notification() -> None:
    one = draft(ALICE, BOB, message="Sent", source="order-service")
    (accepted,) = accept([one])
    assert accepted.states == ["unread", "unread"]
    for target, each_id in one.ids.items():
        (row,) = inbox(target)
        assert (row.pk, row.state, row.message) == (each_id, "unread", "Sent")
        assert (row.source, row.edition, row.priority) == ("order-service", 1, 2)
        assert row.position == row.version == person(target).last_position
        assert person(target).unread == 1


def test_a_target_that_is_named_twice_is_told_once() -> None:
    assert len(give(ALICE, BOB, ALICE)) == 2
    assert len(inbox(ALICE)) == person(ALICE).unread == 1


def test_people_with_one_id_and_two_logins_are_two() -> None:
    give((1, "alice"), (1, "Alice"))
    assert Recipient.objects.filter(user_id=1).count() == 2


def test_a_position_is_the_time_in_milliseconds() -> None:
    before = clock.now()
    (row,) = give()
    assert row.position is not None
    assert before.timestamp() * 1000 - 1 <= row.position <= clock.now().timestamp() * 1000


def test_positions_grow_even_when_the_clock_stands_still_or_goes_back() -> None:
    future = (clock.now() + timedelta(hours=1)).timestamp() * 1000
    Recipient.objects.filter(pk=person().pk).update(last_position=int(future))
    positions = [row.position for _ in range(3) for row in give()]
    assert positions == [int(future) + 1, int(future) + 2, int(future) + 3]


def test_drafts_of_one_call_stand_in_their_order() -> None:
    drafts = [draft(ALICE, message=str(n)) for n in range(5)]
    accept(drafts)
    assert [row.message for row in sorted(inbox(), key=lambda r: r.position or 0)] == list("01234")
    assert person().unread == 5


def test_large_and_small_drafts_go_together_and_keep_their_order() -> None:
    crowd = [ALICE, *((n, "crowd") for n in range(SMALL))]
    accept([draft(ALICE, message="1"), draft(*crowd, message="2"), draft(BOB, ALICE, message="3")])
    by_position = Notification.objects.filter(recipient=person()).order_by("position")
    assert list(by_position.values_list("message", flat=True)) == ["1", "2", "3"]
    assert Notification.objects.count() == 1 + len(crowd) + 2


def test_small_drafts_keep_what_is_their_own() -> None:
    moment = datetime(2024, 1, 1, 12, tzinfo=UTC)
    full = draft(
        ALICE, message="full", source="a", created_at=moment, ttl_s=60, collapse_key="k",
        priority=0, data={"n": 1}, correlation_id="abc",
    )  # fmt: skip
    accept([full, draft(BOB, message="bare", source="b")])
    (alice,), (bob,) = inbox(ALICE), inbox(BOB)
    assert (alice.message, alice.source, alice.created_at, alice.ttl_s) == ("full", "a", moment, 60)
    assert (alice.collapse_key, alice.priority, alice.data) == ("k", 0, {"n": 1})
    assert (bob.message, bob.source, bob.ttl_s, bob.collapse_key) == ("bare", "b", 900, None)
    assert (bob.priority, bob.data, bob.created_at) == (2, None, bob.accepted_at)
    assert (alice.correlation_id, bob.correlation_id) == ("abc", "")


def test_its_time_counts_from_its_position_not_from_what_the_caller_says() -> None:
    (row,) = give(created_at=datetime(2024, 1, 1, tzinfo=UTC), ttl_s=60)
    assert row.expires_at == row.accepted_at + timedelta(seconds=60)
    assert clock.now() - row.accepted_at < timedelta(minutes=1)


def test_a_moved_clock_moves_positions_and_times() -> None:
    with clock.shift(timedelta(days=2)):
        (row,) = give()
        assert abs(row.accepted_at - clock.now()) < timedelta(minutes=1)
    assert row.position is not None
    assert row.position > (clock.now() + timedelta(days=1)).timestamp() * 1000


def test_it_carries_the_correlation_id_of_its_request() -> None:
    with correlated("from-the-request"):
        (row,) = give()
    assert row.correlation_id == "from-the-request"


def test_one_row_of_the_outbox_notes_all_changes_of_a_call() -> None:
    first, second = give(ALICE, BOB)
    note = Outbox.objects.get()
    noted = set(zip(note.recipient_ids, note.positions, strict=True))
    assert noted == {(first.recipient_id, first.position), (second.recipient_id, second.position)}


def test_what_was_accepted_is_counted() -> None:
    give(ALICE, BOB)
    counted = Stat.objects.get(event="sent")
    assert counted.count == 2
    assert (counted.at.second, counted.at.microsecond) == (0, 0)


def test_nothing_is_written_of_a_call_in_which_one_draft_is_refused() -> None:
    with pytest.raises(DraftInvalid):
        accept([draft(), draft(message="")])
    assert not Notification.objects.exists()


def test_a_thousand_targets_cost_one_query() -> None:
    crowd = [(n, "crowd") for n in range(1000)]
    give(*crowd)
    one = draft(*crowd)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        accept([one])
    assert len(queries) == 1
    assert Recipient.objects.filter(unread=2).count() == 1000


def test_many_small_drafts_cost_one_query() -> None:
    drafts = [draft((n, "crowd")) for n in range(50)]
    with CaptureQueriesContext(connection) as queries:
        accept(drafts)
    assert len(queries) == 1


def test_reading_one_and_getting_another_keeps_the_count() -> None:
    (first,) = give()
    read(first)
    give()
    assert person().unread == 1
