"""Queueing a message: checked at the door, kept once per key."""

from datetime import timedelta
from typing import Any

import pytest

from lib import clock
from lib.context import correlated
from lib.errors import InputInvalid
from notifications.telegram.models import Dedup, QueuedMessage
from notifications.telegram.services import TextInvalid, message_queue
from tests.notifications.telegram.rows import ago, fresh


def queue(**given: Any) -> tuple[QueuedMessage, bool]:
    return message_queue(**{"telegram_id": 7, "message": "Hello", **given})


def test_a_message_is_queued_and_due_at_once() -> None:
    with correlated("request-1"):
        row, was_there = queue(notification_type="alert", priority=0)
    row = fresh(row)
    assert not was_there
    assert (row.status, row.attempts, row.priority) == ("pending", 0, 0)
    assert (row.notification_type, row.parse_mode) == ("alert", "HTML")
    assert row.correlation_id == "request-1"
    assert row.scheduled_at <= clock.now()


def test_a_message_can_be_for_later() -> None:
    at = ago(-3600)
    assert fresh(queue(scheduled_at=at)[0]).scheduled_at == at


@pytest.mark.parametrize(
    ("text", "parse_mode"),
    [
        ("<b>not closed", "HTML"),
        ("<div>no such tag</div>", "HTML"),
        ("", "HTML"),
        ("  \n ", None),
        ("<b> </b>", "HTML"),
        ("x" * 4097, "HTML"),
        ("x" * 4097, None),
        ("a\x00b", None),
        ("*" * 40_000, "MarkdownV2"),
        ("Hello", "BBCode"),
    ],
)
def test_a_text_that_telegram_would_refuse_is_refused_at_the_door(
    text: str, parse_mode: str | None
) -> None:
    with pytest.raises(TextInvalid):
        queue(message=text, parse_mode=parse_mode)
    assert not QueuedMessage.objects.exists()


@pytest.mark.parametrize(
    ("text", "parse_mode"),
    [
        ("x" * 4096, "HTML"),
        ("<b>" + "я" * 4096 + "</b>", "HTML"),
        ("<not a tag", None),
        ("*bold*", "MarkdownV2"),
        ("1 &lt; 2", "HTML"),
    ],
)
def test_a_text_that_telegram_takes_is_taken(text: str, parse_mode: str | None) -> None:
    assert fresh(queue(message=text, parse_mode=parse_mode)[0]).message == text


@pytest.mark.parametrize(
    "given",
    [
        {"priority": 4},
        {"priority": -1},
        {"telegram_id": 0},
        {"telegram_id": 2**63},
        {"telegram_id": -(2**63) - 1},
    ],
)
def test_what_no_chat_or_priority_can_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InputInvalid):
        queue(**given)
    assert not QueuedMessage.objects.exists()


def test_a_second_message_with_a_key_is_the_first() -> None:
    first, _ = queue(dedup_key="invoice:1")
    again, was_there = queue(dedup_key="invoice:1", message="Another text")
    assert was_there
    assert again.pk == first.pk
    assert again.message == "Hello"
    assert QueuedMessage.objects.count() == 1


def test_messages_without_a_key_are_all_kept() -> None:
    queue()
    queue()
    assert QueuedMessage.objects.count() == 2


def test_another_key_is_another_message() -> None:
    assert queue(dedup_key="a")[0].pk != queue(dedup_key="b")[0].pk


def test_a_key_is_free_again_when_its_time_is_over() -> None:
    first, _ = queue(dedup_key="daily", dedup_ttl=timedelta(hours=1))
    with clock.shift(timedelta(minutes=59)):
        assert queue(dedup_key="daily")[1]
    with clock.shift(timedelta(minutes=61)):
        second, was_there = queue(dedup_key="daily")
    assert not was_there
    assert second.pk != first.pk


def test_a_repeated_call_does_not_prolong_a_key() -> None:
    queue(dedup_key="daily", dedup_ttl=timedelta(hours=1))
    ends_at = Dedup.objects.get().expires_at
    queue(dedup_key="daily", dedup_ttl=timedelta(hours=9))
    assert Dedup.objects.get().expires_at == ends_at


def test_a_key_holds_also_after_its_message_was_sent() -> None:
    first, _ = queue(dedup_key="invoice:1")
    QueuedMessage.objects.update(status="sent")
    again, was_there = queue(dedup_key="invoice:1")
    assert was_there
    assert (again.pk, again.status) == (first.pk, "sent")
