"""Taking back and putting right: unread inboxes, and Telegram within its 48 hours."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from jobs.operations import job_cancel
from jobs.testing import assert_enqueued, drain
from lib import clock
from notifications.broadcasts.auditing import ledgers_audit
from notifications.broadcasts.errors import BroadcastInvalid, BroadcastSettled
from notifications.broadcasts.models import Broadcast, LedgerRow
from notifications.broadcasts.services import broadcast_recall, broadcast_send_now
from notifications.inbox.models import Notification
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, people_make
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def sent(bot: Sandbox, expected: int = 4, **changes: Any) -> Broadcast:
    people_make(4, telegram=True)
    row = broadcast_make(channels=["inbox", "telegram"], **changes)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    assert (bot.stats()["delivered"], Notification.objects.count()) == (expected, expected)
    return adds_up(row.pk)


def recalls() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for channel, recall in LedgerRow.objects.order_by("id").values_list("channel", "recall"):
        found.setdefault(channel, []).append(str(recall))
    return {name: sorted(each) for name, each in found.items()}


def test_what_is_unread_vanishes_and_telegram_deletes(bot: Sandbox) -> None:
    row = sent(bot)
    read = Notification.objects.order_by("id")[0]
    Notification.objects.filter(pk=read.pk).update(state="read")

    broadcast_recall(broadcast_id=row.pk, by=None)
    drain()

    assert recalls() == {"inbox": ["done", "done", "done", "kept"], "telegram": ["done"] * 4}
    assert Notification.objects.filter(state="recalled").count() == 3
    assert all(each["deleted_at"] for each in bot.messages())
    done = adds_up(row.pk).recall
    assert done is not None
    assert (done["state"], done["done"], done["kept"]) == ("done", 7, 1)


def test_another_text_reaches_those_who_have_it(bot: Sandbox) -> None:
    row = sent(bot, body_ru="Мы в эфире!")
    broadcast_recall(broadcast_id=row.pk, mode="edit", body="At 12:00", by=None)
    drain()
    assert {each["text"] for each in bot.messages()} == {"Feature launch\n\nAt 12:00"}
    assert set(Notification.objects.values_list("message", flat=True)) == {
        "Feature launch\n\nAt 12:00"
    }
    assert Broadcast.objects.get(pk=row.pk).body == "At 12:00"


def test_each_language_gets_its_own_title_put_right(bot: Sandbox) -> None:
    people_make(1, first=90, telegram=True, language="ru")
    row = sent(bot, body_ru="Мы в эфире!", title_ru="Запуск", expected=5)
    broadcast_recall(broadcast_id=row.pk, mode="edit", title_ru="Пуск", by=None)
    drain()
    assert bot.messages(1090)[0]["text"] == "Пуск\n\nМы в эфире!"
    assert bot.messages(1001)[0]["text"] == "Feature launch\n\nWe are live!"


def test_after_two_days_telegram_keeps_it(bot: Sandbox) -> None:
    row = sent(bot)
    with clock.shift(timedelta(hours=49)):
        broadcast_recall(broadcast_id=row.pk, by=None)
        drain()
    assert recalls()["telegram"] == ["too_old"] * 4
    assert len(bot.messages()) == 4


def test_a_429_puts_the_recall_off_and_it_goes_on(bot: Sandbox) -> None:
    row = sent(bot)
    bot.fault(kind="rate_limit", retry_after=1, times=1, method="deleteMessage")
    broadcast_recall(broadcast_id=row.pk, by=None)
    drain()
    pause = threading.Event()
    for turn in range(200):
        recall = Broadcast.objects.get(pk=row.pk).recall
        if recall is not None and recall["state"] == "done":
            break
        with clock.shift(timedelta(seconds=turn)):
            drain()
        pause.wait(0.05)  # the pause of the bot runs in real time
    assert recalls()["telegram"] == ["done"] * 4


def test_a_recall_outlasts_telegram_being_away_for_long(bot: Sandbox) -> None:
    row = sent(bot)
    bot.fault(kind="status", status=502, times=1000, method="deleteMessage")
    broadcast_recall(broadcast_id=row.pk, by=None)
    for minutes in range(1, 30, 2):
        with clock.shift(timedelta(minutes=minutes)):
            drain(queues=["notifications"])
    bot.clear_faults()
    assert recalls()["telegram"] == ["None"] * 4
    with clock.shift(timedelta(hours=1)):
        drain(queues=["notifications"])
    assert recalls()["telegram"] == ["done"] * 4
    recall = adds_up(row.pk).recall
    assert recall is not None
    assert recall["state"] == "done"


def test_a_recall_whose_job_died_is_taken_up_by_the_auditor(bot: Sandbox) -> None:
    row = sent(bot)
    broadcast_recall(broadcast_id=row.pk, by=None)
    job = assert_enqueued("broadcasts.recall", broadcast_id=str(row.pk))
    ledgers_audit()
    assert_enqueued("broadcasts.recall", times=1, broadcast_id=str(row.pk))  # it only waits
    job_cancel(job_id=job.pk, by=None)
    ledgers_audit()
    drain()
    assert recalls()["telegram"] == ["done"] * 4


def test_a_recall_is_safe_to_repeat(bot: Sandbox) -> None:
    row = sent(bot)
    for _ in range(2):
        broadcast_recall(broadcast_id=row.pk, by=None)
    drain()
    broadcast_recall(broadcast_id=row.pk, by=None)
    drain()
    recall = adds_up(row.pk).recall
    assert recall is not None
    assert (recall["state"], recall["done"], recall["kept"]) == ("done", 4, 4)  # gone is gone


def test_what_is_being_sent_or_was_sent_to_nobody_is_not_recalled(bot: Sandbox) -> None:
    row = broadcast_make()
    with pytest.raises(BroadcastSettled, match="is draft"):
        broadcast_recall(broadcast_id=row.pk, by=None)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    with pytest.raises(BroadcastSettled, match="pause or cancel"):
        broadcast_recall(broadcast_id=row.pk, by=None)
    drain()
    with pytest.raises(BroadcastSettled, match="nobody has got it"):
        broadcast_recall(broadcast_id=row.pk, by=None)


def test_an_edit_without_a_text_is_refused(bot: Sandbox) -> None:
    row = sent(bot)
    with pytest.raises(BroadcastInvalid, match="say what"):
        broadcast_recall(broadcast_id=row.pk, mode="edit", by=None)
    with pytest.raises(BroadcastInvalid, match="body"):
        broadcast_recall(broadcast_id=row.pk, mode="edit", body=" ", by=None)
