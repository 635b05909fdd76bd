"""Writing what became of a message: each fate, and nothing of a claim that is not ours any more."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from lib import clock
from notifications.telegram import lane
from notifications.telegram.lane import Fate
from tests.notifications.telegram.rows import (
    OTHER_RUN,
    RUN,
    chat_of,
    claim,
    claim_ids,
    fresh,
    mark,
    message_make,
    messages_make,
    send,
)


def test_a_sent_message_has_its_time_and_its_number() -> None:
    row = message_make()
    send(row, message_id=12)
    row = fresh(row)
    assert (row.status, row.message_id, row.attempts) == ("sent", 12, 0)
    assert row.sent_at is not None
    assert (row.error_message, row.reason, row.tries) == (None, None, [])
    assert (row.claimed_at, row.claim_run) == (None, None)
    assert chat_of(100).last_sent_at is not None


def test_a_retry_spends_an_attempt_and_waits() -> None:
    row = message_make()
    send(row, "retry", error="HTTP 500", reason="unavailable", wait=timedelta(seconds=30))
    row = fresh(row)
    assert (row.status, row.attempts, row.reason) == ("pending", 1, "unavailable")
    assert row.error_message == "HTTP 500"
    assert row.next_attempt_at is not None
    assert 20 < (row.next_attempt_at - clock.now()).total_seconds() <= 30
    assert [(entry["outcome"], entry["error"]) for entry in row.tries] == [("retry", "HTTP 500")]
    assert row.failed_at is None


def test_a_wait_spends_no_attempt() -> None:
    row = message_make()
    send(row, "wait", error="7 s", reason="rate_limited", wait=timedelta(seconds=7))
    row = fresh(row)
    assert (row.status, row.attempts, row.reason) == ("pending", 0, "rate_limited")


def test_a_failed_message_says_when_and_why() -> None:
    row = message_make()
    send(row, "failed", error="Bad Request", reason="cannot_parse")
    row = fresh(row)
    assert (row.status, row.attempts, row.reason) == ("failed", 1, "cannot_parse")
    assert row.failed_at is not None
    assert chat_of(100).unreachable_since is None  # the fault of the text


def test_a_dropped_message_is_cancelled_with_its_reason() -> None:
    row = message_make()
    send(row, "cancelled", error="message 1 was there before", reason="duplicate")
    row = fresh(row)
    assert (row.status, row.reason, row.attempts) == ("cancelled", "duplicate", 0)


def test_an_unknown_end_is_remembered_when_it_is_sent_at_last() -> None:
    row = message_make()
    send(row, "retry", wait=timedelta(0), is_unknown=True)
    assert fresh(row).maybe_doubled
    with clock.shift(timedelta(seconds=5)):
        send(row, message_id=3)
    row = fresh(row)
    assert row.maybe_doubled
    assert [entry["outcome"] for entry in row.tries] == ["retry", "sent"]


@pytest.mark.parametrize(
    "reason", ["blocked", "deactivated", "not_started", "not_found", "kicked", "to_bot"]
)
def test_a_chat_that_cannot_be_reached_is_remembered_until_it_can(reason: str) -> None:
    send(message_make(), "failed", reason=reason)
    chat = chat_of(100)
    assert chat.unreachable_reason == reason
    since = chat.unreachable_since
    assert since is not None
    with clock.shift(timedelta(minutes=1)):
        send(message_make(), "failed", reason=reason)
    assert chat_of(100).unreachable_since == since  # it was then already
    with clock.shift(timedelta(minutes=2)):
        send(message_make())
    chat = chat_of(100)
    assert (chat.unreachable_since, chat.unreachable_reason) == (None, None)


def test_only_the_last_twenty_tries_are_kept() -> None:
    row = message_make()
    for number in range(25):
        with clock.shift(timedelta(minutes=number)):
            send(row, "wait", error=f"{number}", wait=timedelta(0))
    assert [entry["error"] for entry in fresh(row).tries] == [str(n) for n in range(5, 25)]


@pytest.mark.parametrize("outcome", ["sent", "retry", "wait", "failed", "cancelled"])
def test_a_stale_claim_changes_nothing(outcome: str) -> None:
    row = message_make()
    claim(run=RUN)
    lane.messages_take_over()
    claim(run=OTHER_RUN)
    before, chat_before = fresh(row), chat_of(100)
    assert not mark(row, outcome, run=RUN, message_id=5, reason="blocked", wait=timedelta(hours=1))
    assert vars(fresh(row)) | {"_state": None} == vars(before) | {"_state": None}
    assert vars(chat_of(100)) | {"_state": None} == vars(chat_before) | {"_state": None}
    assert mark(row, outcome, run=OTHER_RUN)


def test_what_was_never_claimed_cannot_be_marked() -> None:
    row = message_make()
    assert not mark(row)
    assert fresh(row).status == "pending"


def test_many_are_marked_by_one_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ids = messages_make([1, 2, 3, 4])
    assert claim_ids() == ids
    fates = [Fate(message_id, "sent", message_id=9) for message_id in ids]
    with django_assert_num_queries(1):
        assert lane.messages_mark(RUN, fates) == set(ids)


def test_no_fates_are_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert lane.messages_mark(RUN, []) == set()
