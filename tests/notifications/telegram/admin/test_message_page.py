"""The page of one message: why not delivered, in one place; and what can be done."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from jobs import breakers, rates
from jobs.console import queue_pause
from jobs.workers import worker_start
from notifications.telegram import governor
from notifications.telegram.models import Chat
from tests.notifications.telegram.admin.ways import acts, html, page_of, said, text, to
from tests.notifications.telegram.rows import ago, claim, fresh, message_make, send

pytestmark = pytest.mark.django_db


def test_a_failed_message_says_why_and_what_is_known_of_its_chat(alice: Client) -> None:
    row = message_make(500)
    send(row, "failed", reason="blocked", error="Forbidden: bot was blocked by the user")
    shown = text(alice.get(page_of(row)))
    assert "The person has blocked the bot. Forbidden: bot was blocked by the user" in shown
    assert "The person has blocked the bot. Messages are still tried" in shown
    assert "waits for a person" in shown


def test_the_tries_are_a_timeline(alice: Client) -> None:
    row = message_make(
        attempts=2, next_attempt_at=ago(-60), maybe_doubled=True,
        tries=[
            {"at": "2026-11-22T10:00:00+00:00", "outcome": "unknown", "error": "ended"},
            {"at": "2026-11-22T10:01:00+00:00", "outcome": "wait", "error": "7 s"},
            {"at": "nonsense", "outcome": "retry", "error": "HTTP <502>"},
            "not even an object",
        ],
    )  # fmt: skip
    shown = text(alice.get(page_of(row)))
    story = shown[shown.index("What happened") :]
    places = [story.index(words) for words in ("made", "ended unknown 2026-11-22 10:00:00", "put off",
                                               "failed", "HTTP <502>", "next try")]  # fmt: skip
    assert places == sorted(places)
    assert "twice?" in shown


def test_the_text_is_shown_as_telegram_would_show_it_and_cannot_break_out(alice: Client) -> None:
    row = message_make(text='<b>Bold</b> <a href="javascript:alert(1)">x</a> &lt;script&gt;')
    shown = html(alice.get(page_of(row)))
    bubble = shown[shown.index("tg-bubble") :].split("</span></div></div>")[0]
    assert "<b>Bold</b>" in bubble
    assert 'href="javascript' not in shown
    assert "&lt;script&gt;" in bubble
    assert "<script>" not in bubble


def test_broken_markup_is_shown_as_the_plain_text_that_is_sent(alice: Client) -> None:
    shown = text(alice.get(page_of(message_make(text="5 < 6 & <b>bold"))))
    assert "Sent as plain text, because its markup is broken" in shown
    assert "5 < 6 & <b>bold" in shown


@pytest.mark.parametrize("text_of", ["x" * 5000, "\u2800", "", "<b>" * 40, "\r\n\x0b"])
def test_no_text_breaks_its_page(alice: Client, text_of: str) -> None:
    for parse_mode in ("HTML", None, "MarkdownV2", "BBCode"):
        row = message_make(text=text_of, parse_mode=parse_mode)
        assert alice.get(page_of(row)).status_code == 200


def test_the_other_messages_of_the_chat_are_there(alice: Client) -> None:
    row, other, stranger = message_make(500), message_make(500), message_make(600)
    answer = alice.get(page_of(row))
    assert [one.pk for one in answer.context["chat"].recent] == [other.pk]
    assert page_of(stranger) not in html(answer)


class Obstacles:
    """What the page says holds a waiting message up."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, row_text: str = "") -> str:
        worker_start("w1", host="h", pid=1, queues=["notifications"])
        row = message_make(500, scheduled_at=ago(5))
        answer = self.client.get(page_of(row))
        return " ".join(one.text for one in answer.context["obstacles"])


@pytest.fixture
def obstacles(alice: Client) -> Obstacles:
    return Obstacles(alice)


def test_a_message_that_nothing_holds_up_says_nothing(obstacles: Obstacles) -> None:
    assert obstacles() == ""


def test_a_lane_that_is_off_is_said(obstacles: Obstacles, settings: Settings) -> None:
    settings.NOTIFICATION_ENABLED = False
    assert "NOTIFICATION_ENABLED" in obstacles()


def test_a_bot_without_a_token_is_said(obstacles: Obstacles, settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    assert "TELEGRAM_BOT_TOKEN" in obstacles()


def test_a_pause_of_the_bot_is_said(obstacles: Obstacles) -> None:
    rates.pause(governor.BUCKET, timedelta(minutes=1))
    assert "Telegram asked it to wait" in obstacles()


def test_a_refused_token_is_said(obstacles: Obstacles) -> None:
    message_make(reason="unauthorized", next_attempt_at=ago(-60))
    rates.pause(governor.BUCKET, timedelta(minutes=1))
    assert "its token is refused" in obstacles()


def test_an_open_breaker_is_said(obstacles: Obstacles) -> None:
    for _ in range(3):
        breakers.record_failure("telegram", "connection refused")
    assert "connection refused" in obstacles()


def test_a_paused_queue_of_jobs_is_said(obstacles: Obstacles) -> None:
    queue_pause(name="notifications", by=None, reason="a deploy")
    assert "a deploy" in obstacles()


def test_a_missing_worker_is_said(alice: Client) -> None:
    row = message_make()
    assert "No worker that lives" in text(alice.get(page_of(row)))


def test_an_earlier_message_of_the_chat_is_said_with_a_link(
    obstacles: Obstacles, alice: Client
) -> None:
    first = message_make(500, attempts=1, scheduled_at=ago(60), next_attempt_at=ago(-600))
    assert f"Message {first.pk} to the same chat is being tried again" in obstacles()
    behind = message_make(500)
    assert page_of(first) in html(alice.get(page_of(behind)))


def test_how_many_are_in_front_is_said(obstacles: Obstacles) -> None:
    message_make(1, scheduled_at=ago(60))
    message_make(2, priority=0)
    message_make(3, priority=3, scheduled_at=ago(60))
    assert "2 due messages are in front of it" in obstacles()


def test_what_is_over_has_no_obstacles(alice: Client, settings: Settings) -> None:
    settings.NOTIFICATION_ENABLED = False
    for status in ("sent", "failed", "cancelled"):
        answer = alice.get(page_of(message_make(status=status)))
        assert answer.context["obstacles"] == []


def test_a_message_is_retried(alice: Client) -> None:
    row = message_make(status="failed", reason="blocked", attempts=5)
    answer = alice.post(page_of(row, "retry"), {"next": page_of(row)}, follow=True)
    assert answer.redirect_chain == [(page_of(row), 302)]
    assert said(answer) == [f"Message {row.pk} is due now, with all its tries."]
    assert (fresh(row).status, fresh(row).attempts) == ("pending", 0)
    assert acts() == [("alice", "telegram.retry", str(row.pk))]
    assert "alice retried it" in text(answer)


def test_a_message_is_cancelled(alice: Client) -> None:
    row = message_make()
    alice.post(page_of(row, "cancel"))
    assert fresh(row).status == "cancelled"
    assert acts() == [("alice", "telegram.cancel", str(row.pk))]


def test_what_a_service_refuses_is_said_in_its_words(alice: Client) -> None:
    row = message_make()
    claim()
    answer = alice.post(page_of(row, "cancel"), {"next": page_of(row)}, follow=True)
    assert said(answer) == [f"Refused: message {row.pk} is being sent just now."]
    answer = alice.post(page_of(row, "retry"), {"next": page_of(row)}, follow=True)
    assert "Refused" in said(answer)[0]
    assert acts() == []


def test_nobody_is_led_away_by_the_address_to_go_back_to(alice: Client) -> None:
    row = message_make(status="failed")
    answer = alice.post(page_of(row, "retry"), {"next": "https://evil.example/"})
    assert answer.headers["Location"] == to()


def test_the_open_page_learns_that_the_message_has_moved_on(alice: Client) -> None:
    row = message_make()
    seen = alice.get(page_of(row)).context["seen"]
    assert "HX-Refresh" not in alice.get(page_of(row, "live"), {"seen": seen}).headers
    send(row)
    assert alice.get(page_of(row, "live"), {"seen": seen}).headers["HX-Refresh"] == "true"


def test_the_page_costs_as_many_queries_with_many_messages_as_with_few(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    row = message_make(500)
    Chat.objects.get_or_create(chat_id=500)
    few = queries(alice, page_of(row))
    for _ in range(30):
        message_make(500)
    assert queries(alice, page_of(row)) == few <= 22
