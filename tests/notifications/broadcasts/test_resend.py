"""Sending again to the missing, testing on oneself, and what leaves as an event."""

import json
from typing import Any

import pytest

from jobs.testing import drain
from notifications.broadcasts.errors import BroadcastInvalid, BroadcastSettled, NothingMissing
from notifications.broadcasts.events import COMPLETED
from notifications.broadcasts.models import Broadcast, LedgerRow, Status
from notifications.broadcasts.services import (
    broadcast_pause,
    broadcast_resend_missing,
    broadcast_send_now,
    broadcast_test_send,
)
from notifications.inbox.models import Notification, Recipient
from notifications.telegram.models import QueuedMessage
from notifications.webhooks.types import event_type_find
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, fates, people_make
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def sent(**changes: Any) -> Broadcast:
    row = broadcast_make(channels=["telegram"], **changes)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    return adds_up(row.pk)


def test_only_those_with_a_reason_or_a_row_that_was_named_get_it_again(bot: Sandbox) -> None:
    people_make(4, telegram=True)
    bot.behave([1001, 1002], "blocked")
    bot.behave(1003, "deactivated")
    row = sent()
    bot.behave([1001, 1002, 1003], "ok")

    assert broadcast_resend_missing(broadcast_id=row.pk, reasons=["deactivated"], by=None) == 1
    drain()
    assert {m["chat_id"] for m in bot.messages()} == {1003, 1004}
    chosen = LedgerRow.objects.get(telegram_id=1001)
    assert broadcast_resend_missing(broadcast_id=row.pk, rows=[chosen.pk], by=None) == 1
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent, row.failed) == (Status.SENT, 3, 1)
    assert len(bot.messages()) == 3


def test_who_has_found_telegram_since_gets_it(bot: Sandbox) -> None:
    people_make(1, telegram=True)
    late = people_make(1, first=50)[0]
    row = sent()
    with pytest.raises(NothingMissing):
        broadcast_resend_missing(broadcast_id=row.pk, by=None)
    Recipient.objects.filter(pk=late.pk).update(telegram_id=5050)
    assert broadcast_resend_missing(broadcast_id=row.pk, by=None) == 1
    drain()
    assert fates(row.pk) == {("telegram", "sent", ""): 2}
    assert [m["chat_id"] for m in bot.messages()] == [1001, 5050]


def test_a_chat_that_has_it_does_not_get_it_again_through_another_login(bot: Sandbox) -> None:
    people_make(1, telegram=True)
    late = people_make(3, first=50)
    row = sent()
    # The second account of somebody who has it, and two accounts of one newcomer.
    Recipient.objects.filter(pk=late[0].pk).update(telegram_id=1001)
    Recipient.objects.filter(pk__in=[late[1].pk, late[2].pk]).update(telegram_id=5050)
    assert broadcast_resend_missing(broadcast_id=row.pk, by=None) == 1
    drain()
    assert [m["chat_id"] for m in bot.messages()] == [1001, 5050]
    assert fates(row.pk) == {
        ("telegram", "sent", ""): 2,
        ("telegram", "skipped", "duplicate_chat"): 2,
    }
    adds_up(row.pk)
    with pytest.raises(NothingMissing):
        broadcast_resend_missing(broadcast_id=row.pk, by=None)


def test_who_has_failed_again_is_missing_again(bot: Sandbox) -> None:
    people_make(2, telegram=True)
    bot.behave(1001, "blocked")
    row = sent()
    for _ in range(2):
        assert broadcast_resend_missing(broadcast_id=row.pk, by=None) == 1
        drain()
        assert adds_up(row.pk).failed == 1
    assert [m["chat_id"] for m in bot.messages()] == [1002]


def test_a_draft_and_one_that_is_sending_are_not_sent_again() -> None:
    people_make(1)
    row = broadcast_make()
    with pytest.raises(BroadcastSettled, match="is draft"):
        broadcast_resend_missing(broadcast_id=row.pk, by=None)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    with pytest.raises(BroadcastSettled, match="is sending"):
        broadcast_resend_missing(broadcast_id=row.pk, by=None)


def test_a_broadcast_that_reached_nobody_has_failed_and_can_be_sent_again(bot: Sandbox) -> None:
    people_make(2, telegram=True)
    bot.behave([1001, 1002], "blocked")
    row = sent()
    assert (row.status, row.error) == (Status.FAILED, "nobody got it: every attempt failed")
    bot.behave([1001, 1002], "ok")
    broadcast_resend_missing(broadcast_id=row.pk, by=None)
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent, row.error) == (Status.SENT, 2, "")


def test_a_test_goes_to_one_person_marked_as_such_and_into_no_ledger(bot: Sandbox) -> None:
    people_make(3, telegram=True)
    row = broadcast_make(channels=["inbox", "telegram"], body_ru="Мы в эфире!")
    done = broadcast_test_send(broadcast_id=row.pk, user_id=2, login="u2", language="ru", by=None)
    assert done.channels == {"inbox": "unread", "telegram": "queued"}
    assert Notification.objects.get().message == "[ТЕСТ] Feature launch\n\nМы в эфире!"
    queued = QueuedMessage.objects.get()
    assert (queued.telegram_id, queued.message) == (1002, "[ТЕСТ] Feature launch\n\nМы в эфире!")
    assert not LedgerRow.objects.exists()
    assert Broadcast.objects.get(pk=row.pk).status == Status.DRAFT


def test_a_test_to_nobody_is_refused() -> None:
    row = broadcast_make(channels=["telegram"])
    with pytest.raises(BroadcastInvalid, match="name somebody"):
        broadcast_test_send(broadcast_id=row.pk, user_id=7, login="u7", by=None)


def test_the_events_are_known_and_their_examples_are_json() -> None:
    kind = event_type_find(COMPLETED)
    assert kind is not None
    assert json.loads(json.dumps(kind.example))["sent"] == 24


def test_quiet_hours_make_a_message_silent(bot: Sandbox) -> None:
    people_make(1, telegram=True, quiet_from="00:00", quiet_to="23:59:59")
    people_make(1, first=2, telegram=True)
    sent()
    bodies = [json.loads(each["body"]) for each in bot.requests() if "sendMessage" in each["path"]]
    silent = {each["chat_id"]: each.get("disable_notification", False) for each in bodies}
    assert silent == {1001: True, 1002: False}


def test_a_pause_of_one_does_not_hold_up_another(bot: Sandbox) -> None:
    people_make(3, telegram=True)
    first = broadcast_make(channels=["telegram"], title="First")
    broadcast_send_now(broadcast_id=first.pk, by=None)
    broadcast_pause(broadcast_id=first.pk, by=None)
    second = sent(title="Second")
    assert (second.status, second.sent) == (Status.SENT, 3)
    assert {m["text"].split("\n")[0] for m in bot.messages()} == {"Second"}
