"""Who did not get it and why: found without help, and sent to again; nobody gets it twice."""

from collections.abc import Callable

import pytest
from django.test import Client

from jobs import sql
from jobs.testing import drain
from lib import clock
from notifications.broadcasts.models import Broadcast, LedgerRow
from notifications.broadcasts.services import broadcast_recall, broadcast_send_now
from notifications.inbox.models import Recipient
from tests.notifications.broadcasts.admin.ways import (
    ledger_ids,
    logins,
    press,
    said,
    sent_make,
    settle,
    text,
    to,
)
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, people_make
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_names_those_who_did_not_get_it_and_why(alice: Client, bot: Sandbox) -> None:
    row = sent_make(bot)
    shown = text(alice.get(to("change", row.pk)))
    assert "2 messages have not arrived" in shown
    assert "Telegram: The person has blocked the bot." in shown
    for login in ("u2", "u4"):
        assert login in shown
    assert "They must unblock the bot first; then resend." in shown
    assert "u3" not in shown
    assert text(alice.get(to("change", row.pk))).count("Resend to the missing") >= 1


def test_the_ledger_is_filtered_and_searched(alice: Client, bot: Sandbox) -> None:
    row = sent_make(bot)
    people_make(1, first=50)
    for query, found in (
        ({}, ["u1", "u2", "u3", "u4", "u5"]),
        ({"fate": "missed"}, ["u2", "u4"]),
        ({"fate": "failed", "reason": "blocked"}, ["u2", "u4"]),
        ({"fate": "sent"}, ["u1", "u3", "u5"]),
        ({"fate": "skipped"}, []),
        ({"channel": "inbox"}, []),
        ({"person": "u4"}, ["u4"]),
        ({"person": "1003"}, ["u3"]),
        ({"person": "nobody"}, []),
    ):
        assert logins(alice.get(to("ledger", row.pk, **query))) == found, query
    assert "Nobody matches." in text(alice.get(to("ledger", row.pk, person="nobody")))


def test_the_ledger_of_a_draft_says_what_to_do(alice: Client, bot: Sandbox) -> None:
    row = broadcast_make()
    assert "They are found when it starts." in text(alice.get(to("ledger", row.pk)))


def test_pages_of_the_ledger_follow_each_other_at_the_same_cost(
    alice: Client, bot: Sandbox, queries: Callable[[Client, str], int]
) -> None:
    people_make(2)
    small = broadcast_make()
    broadcast_send_now(broadcast_id=small.pk, by=None)
    settle(small)
    few = queries(alice, to("ledger", small.pk))
    few_page = queries(alice, to("change", small.pk))
    people_make(118, first=3)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    settle(row)
    assert queries(alice, to("ledger", row.pk)) == few <= 8
    assert queries(alice, to("change", row.pk)) == few_page <= 18
    seen: list[str] = []
    address = to("ledger", row.pk, fate="sent")
    while address:
        shown = alice.get(address)
        seen += logins(shown)
        following = shown.context["following"]
        address = to("ledger", row.pk) + following if following else ""
    assert seen == [f"u{n}" for n in range(1, 121)]


def test_the_missing_get_it_again_and_nobody_else(alice: Client, bot: Sandbox) -> None:
    row = sent_make(bot)
    for chat in (1002, 1004):
        bot.behave(chat, "ok")
    look = alice.get(to("resend", row.pk))
    assert "2 failed and are tried again." in text(look)
    shown = press(alice, look)
    assert said(shown) == ["It goes out again to 2 recipients."]
    settle(row)
    row = adds_up(row.pk)
    assert (row.status, row.sent, row.failed) == ("sent", 5, 0)
    assert sorted(message["chat_id"] for message in bot.messages()) == [
        1001,
        1002,
        1003,
        1004,
        1005,
    ]
    again = press(alice, look)
    assert "that page was used before" in said(again)[0]


def test_only_the_ticked_get_it_again(alice: Client, bot: Sandbox) -> None:
    row = sent_make(bot)
    bot.behave(1002, "ok")
    bot.behave(1004, "ok")
    chosen = ledger_ids(row, telegram_id=1004)
    look = alice.get(to("resend", row.pk, id=[str(each) for each in chosen]))
    assert "Only to the 1 that you have ticked." in text(look)
    press(alice, look)
    settle(row)
    assert LedgerRow.objects.get(telegram_id=1004).fate == "sent"
    assert LedgerRow.objects.get(telegram_id=1002).fate == "failed"


def test_rows_of_another_broadcast_are_not_touched(alice: Client, bot: Sandbox) -> None:
    row = sent_make(bot)
    other = broadcast_make(channels=["telegram"])
    broadcast_send_now(broadcast_id=other.pk, by=None)
    settle(other)
    look = alice.get(to("resend", other.pk, id=[str(each) for each in ledger_ids(row)]))
    assert "Nobody of these can get it again." in text(look)


def test_who_has_telegram_by_now_gets_it(alice: Client, bot: Sandbox) -> None:
    people_make(2)
    row = broadcast_make(channels=["telegram"])
    broadcast_send_now(broadcast_id=row.pk, by=None)
    settle(row)
    assert "2 had no Telegram account." in text(alice.get(to("resend", row.pk)))
    Recipient.objects.filter(login="u1").update(telegram_id=1001)
    shown = press(alice, alice.get(to("resend", row.pk, reason="no_telegram")))
    assert said(shown) == ["It goes out again to one recipient."]
    settle(row)
    assert [message["chat_id"] for message in bot.messages()] == [1001]


def test_what_is_unknown_goes_out_again_only_if_a_person_says_so(
    alice: Client, bot: Sandbox
) -> None:
    row = sent_make(bot)
    one = ledger_ids(row, telegram_id=1001)
    sql.run("SELECT broadcast_turn(%s, %s, 'unknown', 'sender_killed', now())", [row.pk, one])
    assert "1 is not known to have arrived." in text(alice.get(to("resend", row.pk)))
    look = alice.get(to("resend", row.pk, reason="sender_killed"))
    assert "Refused: Everybody who can get it has it" in said(press(alice, look))[0]
    look = alice.get(to("resend", row.pk, reason="sender_killed"))
    shown = press(alice, look, unknown="yes")
    assert said(shown) == ["It goes out again to one recipient."]


def test_one_that_is_sending_is_not_resent(alice: Client, bot: Sandbox) -> None:
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    assert "It is sending just now." in text(alice.get(to("resend", row.pk)))


def test_it_is_taken_back_once_per_look(alice: Client, bot: Sandbox) -> None:
    row = sent_make(bot)
    look = alice.get(to("recall", row.pk))
    assert "3 in Telegram: possible for 48 hours" in text(look)
    shown = press(alice, look, mode="delete")
    assert "It is being done" in said(shown)[0]

    def is_done() -> bool:
        drain()  # it waits for the pace of the bot
        row.refresh_from_db()
        return bool(row.recall and row.recall["state"] == "done")

    until(is_done, "it is taken back")
    shown = text(alice.get(to("change", row.pk)))
    assert "It is taken back where it was delivered: 3 done, 0 could not be changed" in shown
    assert "taken back" in text(alice.get(to("ledger", row.pk, fate="sent")))


def test_its_text_is_put_right(alice: Client, bot: Sandbox) -> None:
    row = sent_make(bot)
    look = alice.get(to("recall", row.pk))
    shown = press(alice, look, mode="edit", title=row.title, body="At one o'clock.", body_ru="")
    assert shown.status_code == 200
    row.refresh_from_db()
    assert (row.body, (row.recall or {})["mode"]) == ("At one o'clock.", "edit")


def test_a_recall_that_is_impossible_is_refused_in_words(alice: Client, bot: Sandbox) -> None:
    row = sent_make(bot)
    empty = press(alice, alice.get(to("recall", row.pk)), mode="edit", title="", body="")
    assert empty.status_code == 422
    draft = broadcast_make()
    assert "There is nothing to recall now." in text(alice.get(to("recall", draft.pk)))
    broadcast_recall(broadcast_id=row.pk, by=None)
    assert Broadcast.objects.get(pk=row.pk).recall


def test_a_ledger_that_was_put_away_is_said_to_be_forgotten(alice: Client, bot: Sandbox) -> None:
    row = sent_make(bot)
    LedgerRow.objects.filter(broadcast_id=row.pk).delete()
    Broadcast.objects.filter(pk=row.pk).update(ledger_forgotten_at=clock.now())
    shown = text(alice.get(to("change", row.pk)))
    assert "2 messages have not arrived" in shown  # the numbers stay
    assert "Who they were was forgotten now" in shown
    assert "Resend to the missing…" not in shown
    assert "Who they were was forgotten." in text(alice.get(to("ledger", row.pk)))
    assert "clone it and send the copy" in text(alice.get(to("resend", row.pk)))
