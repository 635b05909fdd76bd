"""An operator who never read the docs sends a broadcast, watches it, finds who missed it, and resends."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from jobs.testing import drain
from lib import clock
from notifications.broadcasts.models import Broadcast, LedgerRow
from notifications.broadcasts.services import broadcast_pause, broadcast_send_now
from notifications.inbox.models import Notification, Recipient
from notifications.telegram.tasks import drain_queue
from tests.browser.conftest import NARROW, Open, Staff
from tests.browser.inbox_pod import Pod, environment
from tests.notifications.broadcasts.conftest import bot, own_threads
from tests.notifications.broadcasts.rows import broadcast_make, people_make
from tests.notifications.telegram.conftest import TOKEN
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["bot", "own_threads", "sandbox", "sandbox_server"]

Meanwhile = Callable[[Callable[[], Any]], Any]
HOME = "/admin/broadcasts/broadcast/"
MISSED = (1003, 1011, 1102)  # chats in which the bot is blocked at first


@pytest.fixture
def alice(staff: Staff) -> str:
    """An operator, who is known here as a person too."""
    Recipient.objects.create(user_id=900, login="alice", telegram_id=555)
    return staff("alice", "Operator")


@pytest.fixture
def site(committed: None, bot: Sandbox) -> Iterator[str]:
    """A web process that knows the bot: without one it would have nothing sent by Telegram."""
    told = {"TELEGRAM_API_URL": bot.telegram_url, "TELEGRAM_BOT_TOKEN": TOKEN}
    pod = Pod({**environment(), **told})
    pod.start()
    yield pod.url
    pod.stop()


@contextmanager
def workers() -> Iterator[None]:
    """Somebody who does the jobs while the block lasts."""
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                drain_queue.enqueue()  # no clock fires it here, and what is due there goes first
                drain()
                stop.wait(0.05)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def stage(page: Page, wanted: str) -> None:
    expect(page.locator(".progress-live")).to_have_attribute("data-stage", wanted)


def act(page: Page, name: str) -> None:
    """Press a button of the card, and agree to what it says."""
    page.locator(".pl-acts").get_by_role("button", name=name, exact=True).click()
    page.locator("dialog").get_by_role("button", name=name, exact=True).click()


def test_an_operator_sends_to_a_segment_watches_it_and_resends_to_who_missed_it(
    alice: str, bot: Sandbox, open_page: Open, meanwhile: Meanwhile
) -> None:
    people_make(30, telegram=True, language="en")
    people_make(5, first=100, language="ru", telegram=True)
    people_make(4, first=200)
    for chat in MISSED:
        bot.behave(chat, "blocked")
    page = open_page(session=alice)
    page.goto("/admin/")
    it_is_written(page)
    a_draft_says_who_would_get_it(page)
    it_is_sent_and_watched(page, open_page(session=alice))
    who_missed_it_is_named(page)
    it_is_sent_again_to_them(page, bot)


def it_is_written(page: Page) -> None:
    """With the picture and the count beside it."""
    page.get_by_role("link", name="Write a broadcast").first.click()
    page.get_by_label("Title", exact=True).fill("Maintenance on Sunday")
    page.get_by_label("Text", exact=True).fill("We are back at <b>noon</b>.")
    page.get_by_label("Markup").select_option("HTML")
    page.get_by_text("Another text for those who read Russian").click()
    page.get_by_label("Text in Russian").fill("Вернёмся в полдень.")
    page.get_by_label("Telegram", exact=True).check()
    preview = page.get_by_label("Preview")
    expect(preview.get_by_role("heading", name="Telegram, in Russian")).to_be_visible()
    expect(preview.locator(".tg-bubble b", has_text="noon")).to_be_visible()

    page.get_by_role("radio", name="Segment").check()
    page.get_by_label("Field").select_option("has_telegram")
    count = page.locator(".meant [data-count]")
    expect(count).to_have_text("36")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Field").last.select_option("language")
    page.get_by_label("Russian", exact=True).check()
    expect(count).to_have_text("5")
    page.get_by_label("English", exact=True).check()
    expect(count).to_have_text("35")
    page.get_by_role("button", name="Save the draft").click()


def a_draft_says_who_would_get_it(page: Page) -> None:
    """And a test goes to oneself."""
    expect(page.get_by_text("Nothing is sent before you say so.")).to_be_visible()
    expect(page.locator("[data-people]")).to_contain_text("35 people")
    expect(page.locator("[data-channel=telegram]")).to_contain_text("35 messages")
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("A test is on its way by Inbox and Telegram.")).to_be_visible()


def it_is_sent_and_watched(page: Page, watching: Page) -> None:
    """After a look, and to the end, from the page and from the link to its progress."""
    page.get_by_role("link", name="Send or schedule…").click()
    page.get_by_role("button", name="Send 70 messages now").click()
    expect(page.get_by_text("It is on its way.")).to_be_visible()
    stage(page, "running")
    expect(page.locator("[data-link=live]")).to_be_visible()
    share = page.get_by_role("button", name="Copy link to its progress").get_attribute("data-copy")
    watching.goto(str(share))
    stage(watching, "running")
    expect(watching.locator("[data-state]")).to_have_text("finding the recipients")
    with workers():
        for each in (watching, page):
            stage(each, "over")
            expect(each.locator("[data-percent]")).to_have_text("100")
            expect(each.locator("[data-state]")).to_have_text("sent")
            expect(each.locator(".pl-legend")).to_contain_text("67 done")
            expect(each.locator(".pl-legend")).to_contain_text("3 failed")
    expect(page.get_by_role("link", name="Recall…")).to_be_visible()
    why = watching.locator(".pl-reasons li")
    expect(why).to_have_count(1)
    expect(why).to_contain_text("Telegram: The person has blocked the bot.")
    expect(watching).to_have_title(re.compile("^sent · Maintenance on Sunday"))


def who_missed_it_is_named(page: Page) -> None:
    """The three, without a click."""
    missing = page.locator("#missing")
    expect(missing.get_by_role("heading", name="3 messages have not arrived")).to_be_visible()
    rows = missing.locator("tbody tr")
    expect(rows).to_have_count(3)
    for login_, row in zip(("u3", "u11", "u102"), range(3), strict=True):
        expect(rows.nth(row)).to_contain_text(login_)
        expect(rows.nth(row)).to_contain_text("They must unblock the bot first; then resend.")


def it_is_sent_again_to_them(page: Page, bot: Sandbox) -> None:
    """They unblock the bot, and get it; nobody else does."""
    for chat in MISSED:
        bot.behave(chat, "ok")
    page.locator("#missing").get_by_role("link", name="Resend to the missing…").click()
    expect(page.get_by_text("3 failed and are tried again.")).to_be_visible()
    page.get_by_role("button", name="Resend now").click()
    expect(page.get_by_text("It goes out again to 3 recipients.")).to_be_visible()
    with workers():
        stage(page, "over")
        expect(page.locator(".pl-legend")).to_contain_text("70 done")
    expect(page.get_by_text("Everybody got it.")).to_be_visible()
    chats = [message["chat_id"] for message in bot.messages() if message["chat_id"] != 555]
    assert sorted(chats) == sorted({*range(1001, 1031), *range(1100, 1105)})
    assert bot.messages(1102)[0]["text"].endswith("Вернёмся в полдень.")


def test_another_one_is_paused_resumed_and_cancelled_on_its_progress_page(
    alice: str, open_page: Open, meanwhile: Meanwhile
) -> None:
    people_make(20)
    row = broadcast_make(title="Price change")
    broadcast_send_now(broadcast_id=row.pk, by=None)
    page = open_page(session=alice)
    page.goto(f"/progress/{row.pk}")
    stage(page, "running")

    page.locator(".pl-acts").get_by_role("button", name="Cancel").click()
    expect(page.locator("dialog")).to_contain_text("Who has not got it yet never will.")
    page.locator("dialog").get_by_role("button", name="Back").click()
    stage(page, "running")

    act(page, "Pause")
    stage(page, "paused")
    expect(page.locator("[data-note]")).to_contain_text("Paused")
    with workers():
        act(page, "Resume")
        stage(page, "over")
    expect(page.locator(".pl-legend")).to_contain_text("21 done")  # with alice

    other = meanwhile(lambda: _sending("Never mind"))
    page.goto(f"/progress/{other}")
    act(page, "Cancel")
    expect(page.locator("[data-state]")).to_have_text("cancelled")
    stage(page, "over")
    expect(page.locator("[data-said]")).to_have_text("Cancel: done.")
    expect(page.locator(".pl-acts button")).to_have_count(0)
    meanwhile(drain)
    assert meanwhile(lambda: Notification.objects.filter(message__startswith="Never").count()) == 0
    assert meanwhile(lambda: LedgerRow.objects.filter(broadcast_id=other, fate="sent").count()) == 0


def test_an_act_that_is_refused_says_why(alice: str, open_page: Open, meanwhile: Meanwhile) -> None:
    people_make(1)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    page = open_page(session=alice)
    page.goto(f"/progress/{row.pk}")
    page.locator(".pl-acts").get_by_role("button", name="Pause").click()
    # While the question stands, somebody else has paused and cancelled it.
    meanwhile(lambda: Broadcast.objects.filter(pk=row.pk).update(status="cancelled"))
    page.locator("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator("[data-said]")).to_contain_text("is cancelled: pause is not possible now")


def test_a_time_is_chosen_on_the_clocks_of_a_place(alice: str, open_page: Open) -> None:
    people_make(1)
    row = broadcast_make()
    page = open_page(session=alice)
    page.goto(f"{HOME}{row.pk}/send/")
    page.get_by_role("radio", name="At a time").check()
    day = (clock.now() + timedelta(days=3)).date()
    page.get_by_label("Day and time there").fill(f"{day}T12:00")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    expect(page.locator("[data-said]")).to_contain_text(f"That is {day} 03:00 UTC")
    page.get_by_role("button", name="Schedule it").click()
    expect(page.locator(".title .badge")).to_have_text("scheduled")
    expect(page.locator(".explain")).to_contain_text(f"{day} 12:00 Asia/Tokyo")


def test_a_file_becomes_a_list_whose_columns_are_named_by_hand(alice: str, open_page: Open) -> None:
    people_make(3)
    page = open_page(session=alice)
    page.goto("/admin/")
    page.get_by_role("link", name="Imported lists").click()
    page.get_by_role("link", name="Import a CSV file").click()
    content = 'Kunde;Ort\n1;"Riga; alt"\n2;Oslo\n2;Oslo\nx;Bonn\n77;Bern\n'
    file = {"name": "kunden.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("Say which column holds the user id")).to_be_visible()
    expect(page.get_by_role("button", name="Import")).to_be_disabled()
    expect(page.locator(".mapping tbody tr").first).to_contain_text("Riga; alt")
    page.get_by_label("What Kunde is").select_option("User id")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("2 people are in the list; 2 lines were rejected")).to_be_visible()
    rejects = page.locator("#rejects tbody tr")
    expect(rejects).to_have_count(2)
    expect(rejects.nth(0)).to_contain_text("user_id “x” is no number")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download what was rejected").click()
    assert downloading.value.suggested_filename == "kundencsv-rejected.csv"
    page.get_by_role("link", name="Write to these people").click()
    expect(page.locator(".meant [data-count]")).to_have_text("2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(alice: str, bot: Sandbox, open_page: Open, scheme: Any) -> None:
    people_make(6, telegram=True)
    bot.behave(1002, "blocked")
    long = "A-rather-long-title-without-any-blank-" * 4
    sent = broadcast_make(title=long, channels=["inbox", "telegram"], body_ru="Да")
    broadcast_send_now(broadcast_id=sent.pk, by=None)
    drain()
    paused = _sending("Paused")
    broadcast_pause(broadcast_id=paused, by=None, reason="x" * 200)
    draft = broadcast_make(title=long, audience={"type": "ids", "ids": list(range(40))})
    page = open_page(NARROW, session=alice)
    page.emulate_media(color_scheme=scheme)
    for path in (
        HOME, f"{HOME}compose/", f"{HOME}{draft.pk}/change/", f"{HOME}{draft.pk}/edit/",
        f"{HOME}{draft.pk}/send/", f"{HOME}{sent.pk}/change/", f"{HOME}{sent.pk}/ledger/",
        f"{HOME}{sent.pk}/ledger/?fate=missed", f"{HOME}{sent.pk}/resend/",
        f"{HOME}{sent.pk}/recall/", f"{HOME}{paused}/change/", f"/progress/{sent.pk}",
        f"/progress/{paused}", "/admin/broadcasts/audience/", "/admin/broadcasts/audience/upload/",
        f"{HOME}act/?action=cancel&scope=matching&status=draft",
    ):  # fmt: skip
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], f"{path} is {width} wide"


def _sending(title: str) -> UUID:
    row = broadcast_make(title=title)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    return row.pk
