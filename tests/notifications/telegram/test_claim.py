"""Which messages a run may send now, and in which order."""

from datetime import timedelta

import pytest

from lib import clock
from notifications.telegram import lane
from notifications.telegram.models import Chat
from tests.notifications.telegram.rows import (
    OTHER_RUN,
    ago,
    chat_of,
    claim,
    claim_ids,
    fresh,
    mark,
    message_make,
    messages_make,
    send,
)


def test_due_messages_are_claimed_in_the_order_of_their_times() -> None:
    late, early, middle = (message_make(chat, scheduled_at=ago(s)).pk for chat, s in
                           ((1, 1), (2, 30), (3, 10)))  # fmt: skip
    assert claim_ids() == [early, middle, late]


def test_a_critical_message_comes_before_older_ones_of_other_priorities() -> None:
    low, normal, high, critical = (
        message_make(chat, priority=priority, scheduled_at=ago(60 * priority)).pk
        for chat, priority in ((1, 3), (2, 2), (3, 1), (4, 0))
    )
    assert claim_ids() == [critical, high, normal, low]


def test_no_more_are_claimed_than_asked_for() -> None:
    ids = messages_make([1, 2, 3, 4, 5])
    assert claim_ids(limit=3) == ids[:3]
    assert claim_ids(limit=3) == ids[3:]


def test_a_claimed_message_is_not_claimed_again() -> None:
    message_make()
    assert len(claim()) == 1
    assert claim() == []
    assert claim(run=OTHER_RUN) == []


def test_a_scheduled_message_waits_for_its_time() -> None:
    row = message_make(scheduled_at=ago(-60))
    assert claim_ids() == []
    assert lane.next_due_at() == row.scheduled_at
    with clock.shift(timedelta(seconds=61)):
        assert claim_ids() == [row.pk]


def test_nothing_waits_in_an_empty_queue() -> None:
    assert claim_ids() == []
    assert lane.next_due_at() is None


@pytest.mark.parametrize("status", ["sent", "failed", "cancelled"])
def test_what_is_over_is_not_claimed(status: str) -> None:
    message_make(status=status)
    assert claim_ids() == []
    assert lane.next_due_at() is None


def test_a_chat_gets_one_message_at_a_time() -> None:
    first, second = messages_make([100, 100])
    assert claim_ids() == [first]
    with clock.shift(timedelta(seconds=30)):
        assert claim_ids() == []  # the first is still on its way
        assert mark(first)
    with clock.shift(timedelta(seconds=33)):
        assert claim_ids() == [second]


@pytest.mark.parametrize(("chat", "gap_s"), [(100, 1), (-100, 3)], ids=["person", "group"])
def test_a_chat_has_a_gap_between_two_messages(chat: int, gap_s: int) -> None:
    first, second = messages_make([chat, chat])
    send(first)
    assert claim_ids() == []
    next_at, sent_at = chat_of(chat).next_at, fresh(first).sent_at
    assert next_at is not None
    assert sent_at is not None
    assert round((next_at - sent_at).total_seconds()) == gap_s
    with clock.shift(timedelta(seconds=gap_s + 0.2)):
        assert claim_ids() == [second]


def test_messages_of_a_chat_keep_the_order_of_their_times() -> None:
    third, first, second = (message_make(scheduled_at=ago(s)).pk for s in (1, 30, 10))
    order = []
    for second_of_test in range(0, 20, 2):
        with clock.shift(timedelta(seconds=second_of_test)):
            claimed = claim_ids()
            order += claimed
            for message_id in claimed:
                assert mark(message_id)
    assert order == [first, second, third]


def test_a_critical_message_overtakes_the_others_of_its_own_chat() -> None:
    bulk = messages_make([100] * 5, priority=3)
    send(bulk[0])
    claim()  # the rest gets its slots
    critical = messages_make([100, 100], priority=0)
    order = []
    for second in range(2, 8, 2):
        with clock.shift(timedelta(seconds=second)):
            claimed = claim_ids()
            order += claimed
            for message_id in claimed:
                assert mark(message_id)
    assert order == [*critical, bulk[1]]


def test_a_retry_holds_those_behind_it_in_its_chat() -> None:
    first, second = messages_make([100, 100])
    other = message_make(200)
    assert claim_ids() == [first, other.pk]
    assert mark(first, "retry", wait=timedelta(minutes=5), error="HTTP 500", reason="unavailable")
    with clock.shift(timedelta(minutes=4)):
        assert claim_ids() == []
    with clock.shift(timedelta(minutes=6)):
        assert claim_ids() == [first]
        assert mark(first)
    with clock.shift(timedelta(minutes=7)):
        assert claim_ids() == [second]


def test_a_failed_message_holds_nobody() -> None:
    first, second = messages_make([100, 100])
    send(first, "failed", reason="cannot_parse")
    with clock.shift(timedelta(seconds=2)):
        assert claim_ids() == [second]


def test_messages_to_a_group_with_a_new_id_go_there() -> None:
    Chat.objects.create(chat_id=-5, migrated_to=-1005)
    ids = messages_make([-5, -5])
    (claimed,) = claim()
    assert (claimed.id, claimed.telegram_id) == (ids[0], -1005)
    assert fresh(ids[1]).telegram_id == -1005


def test_a_ring_of_new_ids_holds_up_nobody() -> None:
    Chat.objects.create(chat_id=-5, migrated_to=-6)
    Chat.objects.create(chat_id=-6, migrated_to=-5)
    messages_make([-5])
    other = message_make(100)
    assert claim_ids() == [other.pk]


def test_a_new_run_takes_over_what_a_killed_one_was_sending() -> None:
    first, second = messages_make([100, 200])
    later = message_make(100)
    assert claim_ids() == [first, second]
    assert lane.messages_take_over() == 2
    row = fresh(first)
    assert row.maybe_doubled
    assert row.claimed_at is None
    assert row.attempts == 0
    assert [entry["outcome"] for entry in row.tries] == ["unknown"]
    assert not fresh(later).maybe_doubled
    assert sorted(claim_ids(run=OTHER_RUN)) == [first, second]  # its chats are free at once


def test_nothing_is_taken_over_when_nobody_was_killed() -> None:
    send(message_make())
    message_make(200)
    assert lane.messages_take_over() == 0
