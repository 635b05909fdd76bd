"""Sending at once, past the queue; what does not get through goes into it."""

from datetime import timedelta
from typing import Any

from jobs import breakers
from jobs.models import JobRecord
from jobs.testing import assert_enqueued, drain
from lib import clock
from notifications.telegram.models import QueuedMessage
from notifications.telegram.tasks import send_now
from tests.sandbox.fixture import Sandbox

STEPS_S = (0, 12, 50, 200)  # the ladder 10s 30s 90s, with its jitter


def send(*, until_step: int = 1, chat: int = 500, text: str = "Hello", **args: Any) -> JobRecord:
    """Enqueue it and run it at the first steps of its ladder. Returns its job."""
    made = send_now.enqueue(telegram_id=chat, message=text, **args)
    for step in STEPS_S[:until_step]:
        with clock.shift(timedelta(seconds=step)):
            drain(queues=["notifications"])
    return JobRecord.objects.get(pk=made.id)


def test_a_message_is_sent_and_its_number_is_the_result(bot: Sandbox) -> None:
    job = send(text="<b>Now</b>")
    assert job.state == "completed"
    (message,) = bot.messages(500)
    assert message["text"] == "Now"
    result = job.result or {}
    assert result["message_id"] == message["message_id"]
    assert result["sent_at"]
    assert result["maybe_doubled"] is False
    assert not QueuedMessage.objects.exists()


def test_a_plain_text_is_sent_as_it_is(bot: Sandbox) -> None:
    assert send(text="5 < 6", parse_mode=None).state == "completed"
    assert bot.messages(500)[0]["text"] == "5 < 6"


def test_a_failure_is_tried_again(bot: Sandbox) -> None:
    bot.fault(kind="status", status=500, times=1)
    job = send(until_step=2)
    assert (job.state, job.attempt) == ("completed", 2)
    assert len(bot.messages(500)) == 1


def test_what_was_tried_without_an_answer_may_have_arrived_twice_and_says_so(bot: Sandbox) -> None:
    bot.fault(kind="cut_after", times=1)
    job = send(until_step=2)
    assert (job.state, job.attempt) == ("completed", 2)
    assert (job.result or {})["maybe_doubled"] is True
    assert len(bot.messages(500)) == 2


def test_when_its_tries_are_used_up_it_goes_into_the_queue(bot: Sandbox) -> None:
    bot.fault(kind="status", status=500, times=3)
    bot.fault(kind="status", status=502, times=1)
    breakers.force("telegram", is_open=False, reason="a test")
    job = send_now.enqueue(telegram_id=500, message="Hello", notification_type="payment").id
    for step in STEPS_S:
        with clock.shift(timedelta(seconds=step)):
            breakers.force("telegram", is_open=False, reason="a test")
            drain(queues=["notifications"])
    record = JobRecord.objects.get(pk=job)
    row = QueuedMessage.objects.get()
    assert record.state == "completed"
    assert record.result == {"queued": row.pk}
    assert (row.telegram_id, row.message, row.status) == (500, "Hello", "pending")
    assert (row.notification_type, row.priority) == ("payment", 0)
    assert row.maybe_doubled  # the last try ended without an answer
    assert bot.messages(500) == []


def test_a_refusal_is_dead_and_not_tried_again(bot: Sandbox) -> None:
    bot.behave(500, "blocked")
    job = send(until_step=3)
    assert (job.state, job.attempt) == ("dead", 1)
    assert "blocked by the user" in (job.last_error or "")
    assert not QueuedMessage.objects.exists()


def test_a_429_waits_without_spending_a_try(bot: Sandbox) -> None:
    bot.fault(kind="rate_limit", retry_after=30, times=1)
    made = send_now.enqueue(telegram_id=500, message="Hello")
    drain(queues=["notifications"])
    waiting = assert_enqueued("telegram.send_now", telegram_id=500)
    assert (waiting.id, waiting.attempt) == (made.id, 0)
    assert waiting.run_at > clock.now() + timedelta(seconds=25)


def test_a_group_with_a_new_id_gets_it_there(bot: Sandbox) -> None:
    bot.behave(-500, "migrated", migrate_to=-100500)
    job = send(chat=-500)
    assert job.result == {"migrated_to": -100500}
    assert len(bot.messages(-100500)) == 1


def test_while_telegram_is_down_it_waits_without_a_call(bot: Sandbox) -> None:
    breakers.force("telegram", is_open=True, reason="a test")
    send_now.enqueue(telegram_id=500, message="Hello")
    drain(queues=["notifications"])
    assert assert_enqueued("telegram.send_now").attempt == 0
    assert bot.stats()["received"] == 0
