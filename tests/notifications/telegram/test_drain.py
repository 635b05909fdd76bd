"""The lane against a real Bot API over HTTP: what arrives, in which order, how often."""

import threading

import pytest
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from jobs.testing import assert_not_enqueued, jobs_of
from notifications.telegram.models import QueuedMessage
from tests.notifications.telegram.rows import (
    ago,
    chat_of,
    claim,
    fresh,
    lane_run,
    message_make,
    messages_make,
    new_drain,
)
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in QueuedMessage.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def texts(sandbox: Sandbox, chat: int | None = None) -> list[str]:
    return [message["text"] for message in sandbox.messages(chat)]


def test_ten_pending_messages_become_ten_sent_ones(bot: Sandbox) -> None:
    rows = [message_make(chat, f"to {chat}") for chat in range(100, 110)]
    lane_run()
    assert sorted(texts(bot)) == sorted(f"to {chat}" for chat in range(100, 110))
    assert states() == {"sent": 10}
    numbers = {m["chat_id"]: m["message_id"] for m in bot.messages()}
    for row in map(fresh, rows):
        assert row.message_id == numbers[row.telegram_id]
        assert row.sent_at is not None
        assert (row.attempts, row.error_message, row.reason) == (0, None, None)


def test_an_empty_queue_is_nothing_to_do(bot: Sandbox) -> None:
    assert lane_run() == 1
    assert bot.stats()["received"] == 0
    assert jobs_of("telegram.drain_queue")[-1].state == "completed"
    assert_not_enqueued("telegram.drain_queue")


def test_a_run_that_finds_nothing_costs_a_few_queries(
    bot: Sandbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(2):
        assert new_drain().run() is None


def test_messages_to_one_chat_arrive_in_order_at_the_pace_that_telegram_takes(
    bot: Sandbox,
) -> None:
    bot.limits(enabled=True, chat_burst=1)
    for number in range(3):
        message_make(100, f"{number}")
    waiting = threading.Event()
    while states() != {"sent": 3}:
        lane_run()
        waiting.wait(0.05)
    assert texts(bot) == ["0", "1", "2"]
    assert bot.stats()["limited"] == 0


def test_critical_messages_arrive_first(bot: Sandbox) -> None:
    for chat, priority in ((101, 3), (102, 2), (103, 1), (104, 0)):
        message_make(chat, f"priority {priority}", priority=priority, scheduled_at=ago(60))
    drain = new_drain()
    while drain._launch(drain._room()):  # pack after pack: those of one race each other
        while drain._flying:
            drain._land(timeout_s=5)
    drain._threads.shutdown()
    *pack, last = texts(bot)
    assert (sorted(pack), last) == (["priority 0", "priority 1", "priority 2"], "priority 3")


def test_a_message_for_later_is_sent_when_its_time_comes(bot: Sandbox) -> None:
    row = message_make(scheduled_at=ago(-300))
    lane_run()
    assert fresh(row).status == "pending"
    lane_run(after_s=301)
    assert fresh(row).status == "sent"


def test_the_lane_comes_again_when_the_next_message_is_due_soon(bot: Sandbox) -> None:
    messages_make([100, 100])
    lane_run()
    (waiting,) = [job for job in jobs_of("telegram.drain_queue") if job.finished_at is None]
    assert (waiting.run_at - waiting.created_at).total_seconds() < 2


def test_a_person_who_answers_again_is_reachable_again(bot: Sandbox) -> None:
    bot.behave(100, "blocked")
    message_make(100)
    lane_run()
    assert chat_of(100).unreachable_reason == "blocked"
    bot.behave(100, "ok")
    row = message_make(100)
    lane_run(after_s=5)
    assert fresh(row).status == "sent"
    assert chat_of(100).unreachable_since is None


def test_a_group_with_a_new_id_gets_its_messages_there(bot: Sandbox) -> None:
    bot.behave(-500, "migrated", migrate_to=-100500)
    first, second = messages_make([-500, -500])
    lane_run()
    lane_run(after_s=10)
    later = message_make(-500, "later")
    lane_run(after_s=20)
    assert [fresh(row).status for row in (first, second, later)] == ["sent"] * 3
    assert len(texts(bot, -100500)) == 3
    assert fresh(first).attempts == 0
    assert chat_of(-500).migrated_to == -100500
    refusals = [call for call in bot.requests() if call["status"] == 400]
    assert len(refusals) == 1  # it was remembered


def test_a_duplicate_that_came_by_sql_is_dropped(bot: Sandbox) -> None:
    first, second = (message_make(100, dedup_key="invoice:1", scheduled_at=ago(s)) for s in (9, 1))
    lane_run()
    lane_run(after_s=5)
    assert fresh(first).status == "sent"
    assert (fresh(second).status, fresh(second).reason) == ("cancelled", "duplicate")
    assert str(first.pk) in (fresh(second).error_message or "")
    assert len(texts(bot)) == 1


def test_a_key_of_a_message_is_no_duplicate_of_itself(bot: Sandbox) -> None:
    bot.fault(kind="status", status=500, times=1)
    row = message_make(dedup_key="invoice:1")
    lane_run()
    assert fresh(row).attempts == 1
    lane_run(after_s=60)
    assert fresh(row).status == "sent"


def test_what_a_killed_run_was_sending_is_sent_again_and_says_so(bot: Sandbox) -> None:
    row, other = message_make(100), message_make(200, scheduled_at=ago(-3600))
    claim()  # and then the process is gone
    lane_run()
    assert (fresh(row).status, fresh(row).maybe_doubled) == ("sent", True)
    assert not fresh(other).maybe_doubled


def test_a_run_that_was_held_to_be_dead_changes_nothing_when_it_wakes_up(bot: Sandbox) -> None:
    bot.fault(kind="latency", latency_ms=300, times=1)
    row = message_make(100)
    frozen, heir = new_drain(), new_drain()
    assert frozen._launch(1) == 1
    bot.wait_for(lambda: bot.messages(100))  # it has arrived, but is not answered yet
    heir.run()
    after = fresh(row)
    assert (after.status, after.maybe_doubled) == ("sent", True)
    frozen._land(timeout_s=10)
    frozen._threads.shutdown()
    assert (fresh(row).message_id, fresh(row).tries) == (after.message_id, after.tries)
    assert [m["message_id"] for m in bot.messages(100)][-1] == after.message_id


@pytest.mark.parametrize(
    ("name", "value"), [("NOTIFICATION_ENABLED", False), ("TELEGRAM_BOT_TOKEN", "")]
)
def test_a_lane_that_is_switched_off_sends_nothing_and_loses_nothing(
    bot: Sandbox, settings: Settings, name: str, value: object
) -> None:
    setattr(settings, name, value)
    row = message_make()
    lane_run()
    assert fresh(row).status == "pending"
    assert bot.stats()["received"] == 0


def test_the_pace_of_the_bot_is_kept(bot: Sandbox, settings: Settings) -> None:
    bot.limits(enabled=True, overall_per_s=30, overall_burst=10)
    settings.TELEGRAM_RATE = 30
    messages_make(list(range(100, 160)))
    lane_run()
    assert states() == {"sent": 60}
    assert bot.stats()["limited"] == 0
