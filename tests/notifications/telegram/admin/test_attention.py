"""What of the Telegram queue needs a person now: said on the first page, with the way to it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs import rates
from jobs.workers import worker_start
from lib.now import Attention, Severity, gather
from notifications.telegram import governor
from tests.notifications.telegram.rows import ago, message_make

pytestmark = pytest.mark.django_db


def needed() -> dict[str, Attention]:
    """What somebody who may see all is told of Telegram, by title."""
    everything = gather(User(is_superuser=True, is_active=True))
    return {
        item.title: item for item in everything if "elegram" in item.title or "bot" in item.title
    }


@pytest.fixture
def worker(db: None) -> None:
    worker_start("w1", host="h", pid=1, queues=["notifications"])


def test_while_all_is_well_nothing_is_said(worker: None) -> None:
    message_make(scheduled_at=ago(30))
    message_make(scheduled_at=ago(-30))
    message_make(status="failed", reason="unavailable", failed_at=ago(25 * 3600))
    message_make(status="failed", reason="blocked", failed_at=ago(60))
    assert needed() == {}


def test_failed_messages_are_counted_and_lead_to_their_list(alice: Client) -> None:
    for reason in ("unavailable", "cannot_parse", "blocked"):
        message_make(status="failed", reason=reason, failed_at=ago(3600))
    item = needed()["failed Telegram messages"]
    assert item.count == 2
    assert alice.get(item.url).context["page"].messages


def test_a_refused_token_is_critical(alice: Client) -> None:
    rates.pause(governor.BUCKET, timedelta(minutes=1))
    message_make(reason="unauthorized", next_attempt_at=ago(-60))
    item = needed()["bot whose token is refused"]
    assert item.severity == Severity.CRITICAL
    assert len(alice.get(item.url).context["page"].messages) == 1


def test_a_pause_that_telegram_asked_for_is_a_notice(worker: None) -> None:
    rates.pause(governor.BUCKET, timedelta(minutes=1))
    assert needed()["Telegram bot that was asked to wait"].severity == Severity.NOTICE


def test_a_due_message_that_nobody_sends_is_critical(alice: Client) -> None:
    message_make(scheduled_at=ago(300))
    item = needed()["Telegram message late"]
    assert item.severity == Severity.CRITICAL
    assert "due for 5 min" in item.hint
    assert "No worker that lives" in item.hint
    assert len(alice.get(item.url).context["page"].messages) == 1


def test_a_backlog_that_is_worked_through_is_a_notice(worker: None) -> None:
    message_make(scheduled_at=ago(300))
    assert governor.take(1) is None  # the bot has just sent something
    assert needed()["Telegram message late"].severity == Severity.NOTICE


def test_who_may_not_see_the_queue_is_not_told(account: Callable[..., User]) -> None:
    message_make(scheduled_at=ago(300))
    assert gather(account("carol", is_staff=True)) == []
