"""A broadcast to Telegram against a Bot API over HTTP: who gets it, who does not, and why."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs import sql
from jobs.outcomes import Done
from jobs.testing import drain, job_perform
from lib import clock
from notifications.broadcasts import telegram_lane
from notifications.broadcasts.errors import NothingMissing
from notifications.broadcasts.expansion import batch_expand
from notifications.broadcasts.models import Broadcast, LedgerRow, Status
from notifications.broadcasts.selectors import obstacles_of
from notifications.broadcasts.services import (
    broadcast_dry_run,
    broadcast_edit,
    broadcast_resend_missing,
    broadcast_resume,
    broadcast_send_now,
)
from notifications.broadcasts.telegram_lane import BroadcastLane
from notifications.broadcasts.telegram_rows import rows_settle
from notifications.telegram.models import Chat, QueuedMessage
from notifications.telegram.services import message_queue
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, fates, people_make
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def sent_to_telegram(**changes: Any) -> Broadcast:
    row = broadcast_make(channels=["telegram"], **changes)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    return adds_up(row.pk)


def chats(bot: Sandbox) -> list[int]:
    return sorted(message["chat_id"] for message in bot.messages())


def test_each_chat_gets_it_once_in_its_language(bot: Sandbox) -> None:
    people_make(8, telegram=True)
    people_make(2, first=50, telegram=True, language="ru")
    people_make(1, first=90)

    row = sent_to_telegram(parse_mode="HTML", body="<i>We</i> are live!", body_ru="Мы в эфире!")

    assert (row.status, row.total, row.sent, row.skipped) == (Status.SENT, 11, 10, 1)
    assert fates(row.pk)["telegram", "skipped", "no_telegram"] == 1
    assert chats(bot) == [*range(1001, 1009), 1050, 1051]
    assert bot.messages(1001)[0]["text"] == "Feature launch\n\nWe are live!"
    assert bot.messages(1050)[0]["text"] == "Feature launch\n\nМы в эфире!"
    ref = LedgerRow.objects.get(telegram_id=1001).message_ref
    assert ref == str(bot.messages(1001)[0]["message_id"])


def test_a_chat_of_two_logins_gets_it_once(bot: Sandbox) -> None:
    people_make(3, telegram_id=700)
    row = sent_to_telegram()
    assert fates(row.pk) == {
        ("telegram", "sent", ""): 1,
        ("telegram", "skipped", "duplicate_chat"): 2,
    }
    assert chats(bot) == [700]


def test_a_login_that_has_muted_it_does_not_keep_it_from_the_other_one_of_the_chat(
    bot: Sandbox,
) -> None:
    people_make(1, telegram_id=700, muted_sources=["broadcast"])
    people_make(1, first=2, telegram_id=700)
    run = broadcast_dry_run(broadcast_id=broadcast_make(channels=["telegram"]).pk)
    row = sent_to_telegram()
    assert fates(row.pk) == {("telegram", "skipped", "muted"): 1, ("telegram", "sent", ""): 1}
    assert chats(bot) == [700]
    assert run.channels["telegram"] == {
        "send": 1, "no_telegram": 0, "muted": 1, "duplicate_chat": 0,
    }  # fmt: skip


def test_the_same_holds_if_they_are_found_in_two_batches(bot: Sandbox) -> None:
    people_make(1, telegram_id=700, muted_sources=["broadcast"])
    people_make(2, first=2, telegram_id=700)
    row = broadcast_make(channels=["telegram"])
    broadcast_send_now(broadcast_id=row.pk, by=None)
    while not batch_expand(row.pk, batch=1).is_last:
        pass
    drain()
    assert fates(row.pk) == {
        ("telegram", "skipped", "muted"): 1,
        ("telegram", "sent", ""): 1,
        ("telegram", "skipped", "duplicate_chat"): 1,
    }


def test_who_has_blocked_the_bot_is_in_the_ledger_with_the_reason(bot: Sandbox) -> None:
    people_make(5, telegram=True)
    bot.behave(1002, "blocked")
    bot.behave(1004, "deactivated")

    row = sent_to_telegram()

    assert (row.status, row.sent, row.failed) == (Status.SENT, 3, 2)
    failed = LedgerRow.objects.filter(fate="failed").values_list("telegram_id", "reason")
    assert sorted(failed) == [(1002, "blocked"), (1004, "deactivated")]
    assert Chat.objects.get(pk=1002).unreachable_reason == "blocked"


def test_a_resend_reaches_only_those_who_missed_it(bot: Sandbox) -> None:
    people_make(5, telegram=True)
    bot.behave(1002, "blocked")
    row = sent_to_telegram()
    bot.behave(1002, "ok")

    assert broadcast_resend_missing(broadcast_id=row.pk, by=None) == 1
    drain()

    row = adds_up(row.pk)
    assert (row.status, row.sent, row.failed) == (Status.SENT, 5, 0)
    assert chats(bot) == [1001, 1002, 1003, 1004, 1005]


def test_a_429_pauses_the_bot_and_spends_no_try(bot: Sandbox) -> None:
    people_make(4, telegram=True)
    bot.fault(kind="rate_limit", retry_after=1, times=1)
    row = sent_to_telegram()
    wait_until_sent(row)
    assert adds_up(row.pk).sent == 4
    assert set(LedgerRow.objects.values_list("attempts", flat=True)) == {1}
    assert chats(bot) == [1001, 1002, 1003, 1004]


def wait_until_sent(row: Broadcast) -> None:
    """Run what becomes due until it has ended; what waits for an hour is due at once."""
    pause = threading.Event()
    for turn in range(200):
        if Broadcast.objects.get(pk=row.pk).status != Status.SENDING:
            return
        with clock.shift(timedelta(minutes=turn)):
            drain()
        pause.wait(0.05)  # the pause of the bot runs in real time


def test_an_answer_that_says_nothing_arrived_is_tried_again(bot: Sandbox) -> None:
    people_make(3, telegram=True)
    bot.fault(kind="cut_before", times=1)
    row = sent_to_telegram()
    wait_until_sent(row)
    row = adds_up(row.pk)
    assert (row.sent + row.unknown, row.failed) == (3, 0)


def test_a_request_without_an_answer_is_unknown_and_goes_out_again_only_when_a_person_says_so(
    bot: Sandbox,
) -> None:
    people_make(3, telegram=True)
    bot.fault(kind="cut_after", times=1)
    row = sent_to_telegram()
    wait_until_sent(row)
    row = adds_up(row.pk)
    assert (row.status, row.sent, row.unknown) == (Status.SENT, 2, 1)
    assert len(bot.messages()) == 3  # it did arrive, and nobody sent it twice

    with pytest.raises(NothingMissing):
        broadcast_resend_missing(broadcast_id=row.pk, by=None)
    assert broadcast_resend_missing(broadcast_id=row.pk, include_unknown=True, by=None) == 1
    drain()
    wait_until_sent(row)
    assert adds_up(row.pk).sent == 3


def test_5xx_is_unknown_for_telegram_may_have_delivered(bot: Sandbox) -> None:
    people_make(3, telegram=True)
    bot.fault(kind="status", status=503, times=1)
    row = sent_to_telegram()
    wait_until_sent(row)
    row = adds_up(row.pk)
    assert (row.sent, row.unknown) == (2, 1)
    assert fates(row.pk)["telegram", "unknown", "outcome_unknown"] == 1


def test_a_group_that_moved_gets_it_under_its_new_id(bot: Sandbox) -> None:
    people_make(1, telegram_id=-500)
    bot.behave(-500, "migrated", migrate_to=-100500)
    row = sent_to_telegram()
    wait_until_sent(row)
    assert adds_up(row.pk).sent == 1
    assert LedgerRow.objects.get().telegram_id == -100500
    assert Chat.objects.get(pk=-500).migrated_to == -100500


def test_a_text_that_telegram_refuses_pauses_it_and_can_be_put_right(bot: Sandbox) -> None:
    people_make(6, telegram=True)
    bot.fault(
        kind="status", status=400, times=3,
        body={"ok": False, "error_code": 400, "description": "Bad Request: can't parse entities"},
    )  # fmt: skip
    row = sent_to_telegram()
    assert row.status == Status.PAUSED
    assert "refuses the text" in row.paused_reason
    assert row.failed == 0
    bot.clear_faults()

    broadcast_edit(broadcast_id=row.pk, body="Put right", by=None)
    broadcast_resume(broadcast_id=row.pk, by=None)
    drain()

    row = adds_up(row.pk)
    assert (row.status, row.sent) == (Status.SENT, 6)


def test_a_database_that_is_away_for_a_moment_makes_no_message_unknown(
    bot: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_make(6, telegram=True)
    cuts = iter([True, True])

    def cut(*given: Any) -> set[int]:
        if next(cuts, False):
            sql.run("SELECT pg_terminate_backend(pg_backend_pid())")
        return rows_settle(*given)

    monkeypatch.setattr(telegram_lane, "rows_settle", cut)
    row = sent_to_telegram()
    assert next(cuts, "all used") == "all used"
    assert (row.status, row.sent, row.unknown) == (Status.SENT, 6, 0)
    assert len(bot.messages()) == 6


def test_a_token_that_is_refused_waits_and_says_so(bot: Sandbox) -> None:
    people_make(2, telegram=True)
    bot.revoke(7000000001)
    row = sent_to_telegram()
    assert (row.status, row.open, row.failed) == (Status.SENDING, 2, 0)
    assert any(
        "token is refused" in each or "silent until" in each for each in obstacles_of(row.pk)
    )


def test_whoever_starts_it_needs_no_token_for_only_workers_send(
    bot: Sandbox, settings: Settings
) -> None:
    people_make(2, telegram=True)
    token, settings.TELEGRAM_BOT_TOKEN = settings.TELEGRAM_BOT_TOKEN, ""  # of the web process
    row = broadcast_make(channels=["telegram"])
    broadcast_send_now(broadcast_id=row.pk, by=None)
    batch_expand(row.pk)
    settings.TELEGRAM_BOT_TOKEN = token
    drain()
    assert adds_up(row.pk).status == Status.SENT


def test_a_worker_without_a_token_claims_nothing(bot: Sandbox, settings: Settings) -> None:
    people_make(2, telegram=True)
    settings.TELEGRAM_BOT_TOKEN = ""
    row = sent_to_telegram()
    assert (row.status, row.open, fates(row.pk)) == (
        Status.SENDING, 2, {("telegram", "pending", ""): 2},
    )  # fmt: skip
    outcome = job_perform("broadcasts.deliver_telegram")
    assert isinstance(outcome, Done)
    assert "TELEGRAM_BOT_TOKEN" in outcome.result["off"]


def test_a_lane_that_is_switched_off_waits_and_says_so(bot: Sandbox, settings: Settings) -> None:
    people_make(2, telegram=True)
    settings.NOTIFICATION_ENABLED = False
    row = sent_to_telegram()
    assert (row.status, row.open) == (Status.SENDING, 2)
    assert "The lane is switched off (NOTIFICATION_ENABLED=0)." in obstacles_of(row.pk)
    settings.NOTIFICATION_ENABLED = True
    with clock.shift(timedelta(seconds=10)):
        job_perform("broadcasts.start_due")
        drain()
    assert adds_up(row.pk).sent == 2
    assert obstacles_of(row.pk) == []


def test_a_message_to_one_person_goes_first(bot: Sandbox) -> None:
    people_make(60, telegram=True)
    row = broadcast_make(channels=["telegram"])
    broadcast_send_now(broadcast_id=row.pk, by=None)
    batch_expand(row.pk)
    lane = BroadcastLane(None)
    message_queue(telegram_id=5, message="Your payment has arrived")
    lane._packed_at = float("inf")  # a pack has just gone
    assert lane._launch() == 0
    lane._packed_at = float("-inf")  # but a broadcast never stands still for long
    assert lane._launch() > 0
    lane._threads.shutdown(wait=True)
    lane._land(timeout_s=0)


def test_who_gets_it_in_telegram_is_not_told_there_again_because_the_inbox_is_unread(
    bot: Sandbox,
) -> None:
    people_make(1, telegram=True, fallback_after_s=60)
    both = broadcast_make(channels=["inbox", "telegram"])
    broadcast_send_now(broadcast_id=both.pk, by=None)
    drain()
    only = broadcast_make(title="Inbox only")
    broadcast_send_now(broadcast_id=only.pk, by=None)
    drain()
    with clock.shift(timedelta(minutes=5)):
        drain()
    told = QueuedMessage.objects.values_list("message", flat=True)
    assert ["Inbox only" in text for text in told] == [True]
