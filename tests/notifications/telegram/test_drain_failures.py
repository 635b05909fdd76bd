"""The lane when Telegram refuses, asks to wait, breaks, or is away."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs import rates
from jobs import stats as job_stats
from jobs.models import Breaker
from lib import clock
from notifications.telegram import governor, markup
from notifications.telegram.models import QueuedMessage
from notifications.telegram.sending import SENDERS
from tests.notifications.telegram.rows import fresh, lane_run, message_make, messages_make
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

LADDER_S = (40, 70, 340, 1000)  # after each failure, with its jitter


def calls(bot: Sandbox, method: str = "sendMessage") -> int:
    by_method = {name.lower(): count for name, count in bot.stats()["by_method"].items()}
    return int(by_method.get(method.lower(), 0))


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("blocked", "blocked"),
        ("deactivated", "deactivated"),
        ("not_started", "not_started"),
        ("not_found", "not_found"),
        ("kicked", "kicked"),
        ("to_bot", "to_bot"),
        ("no_rights", "refused"),
    ],
)
def test_a_refusal_is_final_and_has_a_stable_reason(
    bot: Sandbox, settings: Settings, behaviour: str, reason: str
) -> None:
    settings.ADMIN_TELEGRAM_IDS = []
    chat = -500 if behaviour == "kicked" else 500
    bot.behave(chat, behaviour)
    row, other = message_make(chat), message_make(600)
    lane_run()
    assert (fresh(row).status, fresh(row).reason, fresh(row).attempts) == ("failed", reason, 1)
    assert fresh(row).error_message
    assert fresh(other).status == "sent"
    lane_run(after_s=7200)
    assert calls(bot) == 2


def test_markup_that_only_telegram_finds_broken_is_final(bot: Sandbox) -> None:
    row = message_make(text="*not closed", parse_mode="MarkdownV2")
    lane_run()
    assert (fresh(row).status, fresh(row).reason) == ("failed", "cannot_parse")


def test_broken_html_that_came_by_sql_goes_as_plain_text_with_a_note(bot: Sandbox) -> None:
    row = message_make(text="5 < 6 & <b>bold")
    lane_run()
    row = fresh(row)
    assert row.status == "sent"
    assert [message["text"] for message in bot.messages()] == ["5 < 6 & <b>bold"]
    assert "sent as plain text" in (row.error_message or "")


def test_a_parse_mode_that_nobody_knows_goes_as_plain_text(bot: Sandbox) -> None:
    row = message_make(text="<b>x</b>", parse_mode="BBCode")
    lane_run()
    assert fresh(row).status == "sent"
    assert bot.messages()[0]["text"] == "<b>x</b>"


def test_a_text_that_is_too_long_and_came_by_sql_fails_with_its_reason(bot: Sandbox) -> None:
    row = message_make(text="x" * 5000)
    lane_run()
    assert (fresh(row).status, fresh(row).reason) == ("failed", "too_long")
    assert "5000" in (fresh(row).error_message or "")
    assert calls(bot) == 0


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u2800", "<b> </b>", "<i></i>"])
@pytest.mark.parametrize("parse_mode", ["HTML", None, "MarkdownV2", "BBCode"])
def test_an_empty_text_that_came_by_sql_stops_nobody(
    bot: Sandbox, text: str, parse_mode: str | None
) -> None:
    empty, other = message_make(text=text, parse_mode=parse_mode), message_make(600)
    lane_run()
    is_seen = "<" in text and parse_mode != "HTML"  # then it is no markup
    assert fresh(empty).status in ({"sent", "failed"} if is_seen else {"failed"})
    assert fresh(other).status == "sent"


def test_an_error_of_our_own_is_a_failed_try_of_that_message_only(
    bot: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = markup.validate

    def breaks(text: str, parse_mode: str | None = "HTML") -> None:
        if text == "poison":
            raise ZeroDivisionError("our mistake")
        real(text, parse_mode)

    monkeypatch.setattr(markup, "validate", breaks)
    poison, other = message_make(text="poison"), message_make(600)
    lane_run()
    row = fresh(poison)
    assert (row.status, row.attempts, row.reason) == ("pending", 1, "internal")
    assert "our mistake" in (row.error_message or "")
    assert fresh(other).status == "sent"


def test_a_429_pauses_the_whole_bot_and_spends_no_attempt(bot: Sandbox) -> None:
    bot.fault(kind="rate_limit", retry_after=2, times=1)
    ids = messages_make(list(range(100, 120)))
    lane_run()
    limited = [fresh(i) for i in ids if fresh(i).reason == "rate_limited"]
    assert limited
    assert all((row.status, row.attempts) == ("pending", 0) for row in limited)
    until = rates.paused_until(governor.BUCKET)
    assert until is not None
    asked = calls(bot)
    assert asked < len(ids)
    lane_run()  # somebody inserts a row, and the lane is woken
    assert calls(bot) == asked  # but nobody speaks while the pause lasts
    waiting = threading.Event()
    while rates.paused_until(governor.BUCKET):
        waiting.wait(0.05)
    lane_run(after_s=5)
    assert {fresh(i).status for i in ids} == {"sent"}
    assert max(fresh(i).attempts for i in ids) == 0
    assert job_stats._pending["telegram", "", "throttled"] > 0
    assert len(bot.messages()) == len(ids)


@pytest.mark.parametrize(
    ("fault", "reason", "is_doubled"),
    [
        ({"kind": "cut_before"}, "outcome_unknown", True),
        ({"kind": "status", "status": 500, "body": {
            "ok": False, "error_code": 500, "description": "Internal Server Error: restart"}},
         "unavailable", False),
        ({"kind": "html_502"}, "outcome_unknown", True),
        ({"kind": "cut_after"}, "outcome_unknown", True),
    ],
    ids=["cut_before", "500_restart", "502", "cut_after"],
)  # fmt: skip
def test_a_failure_climbs_the_ladder_and_is_sent_again(
    bot: Sandbox, fault: dict[str, Any], reason: str, is_doubled: bool
) -> None:
    bot.fault(**fault, times=1)
    row = message_make()
    lane_run()
    row = fresh(row)
    assert (row.status, row.attempts, row.reason) == ("pending", 1, reason)
    assert row.next_attempt_at is not None
    assert row.next_attempt_at > clock.now() + timedelta(seconds=20)
    lane_run(after_s=LADDER_S[0])
    row = fresh(row)
    assert (row.status, row.maybe_doubled, row.attempts) == ("sent", is_doubled, 1)
    assert len(bot.messages()) == (2 if fault["kind"] == "cut_after" else 1)


def test_after_five_failures_a_message_has_failed(bot: Sandbox, settings: Settings) -> None:
    settings.ADMIN_TELEGRAM_IDS = []
    bot.fault(kind="status", status=500, chat_id=100)
    row = message_make(100)
    at = 0
    for number, step in enumerate((0, *LADDER_S), start=1):
        at += step
        lane_run(after_s=at)
        assert fresh(row).attempts == number
    assert (fresh(row).status, fresh(row).reason) == ("failed", "unavailable")
    assert len(fresh(row).tries) == 5
    lane_run(after_s=at + 7200)
    assert calls(bot) == 5


def test_when_telegram_is_down_the_breaker_opens_and_messages_keep_their_tries(
    bot: Sandbox,
) -> None:
    bot.fault(kind="down", for_s=600)
    ids = messages_make(list(range(100, 150)))
    lane_run()
    breaker = Breaker.objects.get(pk="telegram")
    assert breaker.state == "open"
    spent = sum(fresh(i).attempts for i in ids)
    assert 3 <= spent <= SENDERS + 3  # what was on its way when it opened
    # Five seconds later one probe asks, and costs no message a try.
    lane_run(after_s=6)
    assert sum(fresh(i).attempts for i in ids) == spent
    assert calls(bot, "getMe") == 1
    assert Breaker.objects.get(pk="telegram").state == "open"
    bot.clear_faults()
    lane_run(after_s=60)
    lane_run(after_s=120)
    assert Breaker.objects.get(pk="telegram").state == "closed"
    assert {fresh(i).status for i in ids} == {"sent"}


def test_an_open_breaker_is_not_probed_when_there_is_nothing_to_send(bot: Sandbox) -> None:
    bot.fault(kind="down", for_s=600)
    messages_make([100, 200, 300])
    lane_run()
    assert Breaker.objects.get(pk="telegram").state == "open"
    lane_run(after_s=6)  # all three wait for their second try
    assert Breaker.objects.get(pk="telegram").state == "open"
    assert calls(bot, "getMe") == 0


def test_a_refused_token_stops_the_bot_and_fails_no_message(
    bot: Sandbox, settings: Settings
) -> None:
    bot.revoke(int(settings.TELEGRAM_BOT_TOKEN.split(":")[0]))
    ids = messages_make(list(range(100, 120)))
    lane_run()
    refused = QueuedMessage.objects.filter(reason="unauthorized")
    assert refused.exists()
    assert {fresh(i).status for i in ids} == {"pending"}
    assert {fresh(i).attempts for i in ids} == {0}
    assert rates.paused_until(governor.BUCKET) is not None
    assert (
        job_stats._pending["telegram", "", "throttled"] == 0
    )  # nobody asked: we rest by ourselves


def test_a_slow_answer_holds_up_no_other_chat(bot: Sandbox) -> None:
    bot.fault(kind="latency", latency_ms=700, chat_id=100)
    slow = message_make(100)
    others = messages_make(list(range(200, 220)))
    lane_run()
    sent_at = fresh(slow).sent_at
    assert sent_at is not None
    for other in others:
        at = fresh(other).sent_at
        assert at is not None
        assert at < sent_at
