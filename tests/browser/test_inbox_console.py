"""A visitor at the live console of the inbox, in a real browser, against real web processes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from lib.ids import uuid7
from notifications.inbox.models import Client, Recipient
from tests.browser.conftest import NARROW, Enter
from tests.browser.inbox_pod import Backend, Pod


def panel(page: Page) -> Locator:
    return page.locator("#panel")


def item(page: Page, message: str) -> Locator:
    """A notification on the screen of the panel."""
    return panel(page).locator(".item", has_text=message)


def told(page: Page, message: str) -> Locator:
    """A row of the history."""
    return page.locator("#history .told", has_text=message)


def state(page: Page, wanted: str) -> None:
    expect(panel(page)).to_have_attribute("data-inbox", wanted)


def send(page: Page, message: str) -> None:
    compose = page.locator("#compose")
    compose.get_by_label("Message").fill(message)
    compose.get_by_role("button", name="Send").click()
    expect(compose.get_by_role("status")).to_contain_text("Accepted for")


def test_a_visitor_opens_an_inbox_sends_to_it_and_reads_it(enter: Enter) -> None:
    page = enter()
    expect(page.locator("#feed")).to_have_text("Live")
    expect(page.get_by_text("Nobody is connected.")).to_be_visible()

    page.get_by_role("button", name="Open inbox").click()
    state(page, "open")
    expect(page.locator("#people .person")).to_contain_text("alice")
    expect(page.locator("[data-tile=connections]")).to_have_text("1")

    send(page, "Your order has left")
    expect(item(page, "Your order has left")).to_be_visible()
    expect(panel(page).locator("[data-unread]")).to_have_text("1")
    expect(told(page, "Your order has left")).to_contain_text("unread", ignore_case=True)
    expect(page.locator("#pending .waiting")).to_contain_text("Your order has left")
    expect(page.locator("[data-tile=unread]")).to_have_text("1")

    item(page, "Your order has left").get_by_role("button", name="Mark as read").click()
    expect(panel(page).locator("[data-unread]")).to_be_hidden()
    expect(told(page, "Your order has left").locator(".badge")).to_have_text("READ")
    expect(page.locator("#pending .waiting")).to_have_count(0)
    expect(page.locator("[data-tile=sent]")).to_have_text("1")
    expect(page.locator("[data-tile=acked]")).to_have_text("1")
    expect(page.locator("[data-tile=latency]")).to_contain_text("ms")
    expect(page.locator("#latency svg")).to_have_attribute(
        "aria-label", re.compile("Last ten minutes: 1 push measured")
    )


def test_a_second_screen_sees_the_read(enter: Enter, backend: Backend) -> None:
    first = enter("/?inbox=1-alice")
    with first.context.expect_page() as opened:
        panel(first).get_by_role("link", name="Second screen").click()
    second = opened.value
    for page in (first, second):
        state(page, "open")
    backend.send("Seen once")
    for page in (first, second):
        expect(panel(page).locator("[data-unread]")).to_have_text("1")
    item(second, "Seen once").get_by_role("button", name="Mark as read").click()
    expect(panel(first).locator("[data-unread]")).to_be_hidden()
    expect(item(first, "Seen once").get_by_role("button")).to_have_count(0)
    expect(first.locator("#people .person .chip")).to_have_count(2)


def test_the_page_comes_back_after_the_server_was_killed(
    enter: Enter, pod: Pod, backend: Backend
) -> None:
    page = enter("/?inbox=1-alice")
    state(page, "open")
    backend.send("before")
    expect(item(page, "before")).to_be_visible()
    pod.kill()
    expect(page.locator("#trouble")).to_contain_text("The server does not answer")
    expect(panel(page).locator("[data-state]")).to_contain_text("back in")
    item(page, "before").get_by_role("button", name="Mark as read").click()
    pod.start()
    backend.send("while it was away")
    state(page, "open")
    expect(item(page, "while it was away")).to_be_visible()
    expect(panel(page).locator(".item")).to_have_count(2)
    expect(page.locator("#feed")).to_have_text("Live")
    expect(page.locator("#trouble")).to_be_hidden()
    # The read that was made meanwhile has arrived.
    expect(told(page, "before").locator(".badge")).to_have_text("READ")


def test_a_page_on_a_server_that_stops_in_order_comes_back(
    enter: Enter, pod: Pod, backend: Backend
) -> None:
    page = enter("/?inbox=1-alice")
    state(page, "open")
    pod.stop()
    pod.start()
    backend.send("after the deploy")
    expect(item(page, "after the deploy")).to_be_visible()
    state(page, "open")


def test_what_is_read_offline_waits(enter: Enter, backend: Backend) -> None:
    page = enter("/?inbox=1-alice")
    state(page, "open")
    backend.send("on the train")
    expect(item(page, "on the train")).to_be_visible()
    panel(page).get_by_role("button", name="Go offline").click()
    expect(panel(page).locator("[data-state]")).to_have_text("offline")
    expect(page.get_by_text("Nobody is connected.")).to_be_visible()
    item(page, "on the train").get_by_role("button", name="Mark as read").click()
    expect(panel(page).locator("[data-state]")).to_have_text("offline, 1 read waits")
    assert backend.history() == [("on the train", "unread")]
    panel(page).get_by_role("button", name="Go online").click()
    expect(told(page, "on the train").locator(".badge")).to_have_text("READ")
    assert backend.history() == [("on the train", "read")]


def test_a_text_is_corrected_and_another_one_taken_back(enter: Enter, backend: Backend) -> None:
    page = enter("/?inbox=1-alice")
    state(page, "open")
    backend.send("The shop is closd")
    backend.send("Not for you")
    told(page, "The shop is closd").get_by_role("button", name="Edit").click()
    page.get_by_label("New text").fill("The shop is closed")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#history").get_by_role("status")).to_have_text("Changed, on 1 screen too.")
    expect(item(page, "The shop is closed")).to_contain_text("edited")

    told(page, "Not for you").get_by_role("button", name="Recall").click()
    expect(item(page, "Not for you")).to_contain_text("taken back by its sender")
    expect(item(page, "Not for you")).to_have_count(0)
    expect(told(page, "Not for you").locator(".badge")).to_have_text("RECALLED")
    told(page, "Not for you").get_by_role("button", name="Story").click()
    expect(told(page, "Not for you").locator(".story li").first).to_be_visible()


def test_a_newer_one_with_the_same_collapse_key_takes_the_place(
    enter: Enter, backend: Backend
) -> None:
    page = enter("/?inbox=1-alice")
    state(page, "open")
    for share in (10, 50):
        backend.send(f"Upload {share} %", collapse_key="upload")
        expect(item(page, f"Upload {share} %")).to_be_visible()
    expect(panel(page).locator("[data-unread]")).to_have_text("1")
    expect(item(page, "Upload 10 %")).to_have_count(0)


def test_all_and_chosen_people_are_sent_to(enter: Enter) -> None:
    alice, bob = enter("/?inbox=1-alice"), enter("/?inbox=2-bob")
    for page in (alice, bob):
        state(page, "open")
    expect(alice.locator("#people .person")).to_have_count(2)
    alice.get_by_text("All connected").click()
    send(alice, "Maintenance at ten")
    for page in (alice, bob):
        expect(item(page, "Maintenance at ten")).to_be_visible()

    alice.get_by_text("Chosen").click()
    alice.locator("#compose").get_by_role("button", name="Send").click()
    expect(alice.get_by_text("Nobody is ticked.")).to_be_visible()
    alice.get_by_label("Choose bob").check()
    send(alice, "Only for Bob")
    expect(item(bob, "Only for Bob")).to_be_visible()
    send(alice, "For Bob too")
    expect(item(bob, "For Bob too")).to_be_visible()
    expect(item(alice, "Only for Bob")).to_have_count(0)


def test_a_send_whose_answer_got_lost_is_told_once(enter: Enter, backend: Backend) -> None:
    page = enter("/?inbox=1-alice")
    state(page, "open")
    keys: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
            return
        assert route.fetch().status == 202
        route.abort()

    page.route("**/api/v1/notify", lose_the_first_answer)
    compose = page.locator("#compose")
    compose.get_by_role("button", name="Send").click()
    expect(compose.get_by_role("status")).to_contain_text("The server does not answer")
    compose.get_by_role("button", name="Send").click()
    expect(compose.get_by_role("status")).to_have_text("Accepted for alice.")
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert len(backend.history()) == 1
    expect(panel(page).locator(".item")).to_have_count(1)


def crowd(count: int) -> None:
    """Sockets on another pod."""
    now = timezone.now()
    people = Recipient.objects.bulk_create(
        Recipient(user_id=n, login=f"person-{n}") for n in range(1, count + 1)
    )
    Client.objects.bulk_create(
        Client(
            id=uuid7(), pod_id="pod-b", recipient_id=each.pk, user_id=each.user_id,
            login=each.login, connected_at=now, seen_at=now,
        )
        for each in people
    )  # fmt: skip


def test_all_are_sent_to_also_those_that_the_list_has_no_room_for(
    enter: Enter, backend: Backend, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    page = enter()
    meanwhile(lambda: crowd(210))
    expect(page.locator("[data-all]")).to_have_text("210")
    expect(page.locator("#people .person")).to_have_count(200)
    page.get_by_text("All connected").click()
    send(page, "To everybody")
    expect(page.get_by_text("Accepted for 210 people.")).to_be_visible()
    for n in (1, 210):
        told_to = backend.history(user_id=n, login=f"person-{n}")
        assert told_to == [("To everybody", "unread")]


def test_what_is_wrong_is_said_beside_its_field(enter: Enter) -> None:
    page = enter()
    compose = page.locator("#compose")
    compose.get_by_label("User id").fill("seven")
    compose.get_by_role("button", name="Send").click()
    expect(compose.get_by_role("status")).to_have_text("The user id is a whole number.")
    compose.get_by_label("User id").fill("7")
    compose.get_by_label("Message").fill("  ")
    compose.get_by_role("button", name="Send").click()
    expect(compose.get_by_role("status")).to_have_text("The message is empty.")


def test_without_a_websocket_it_is_asked_every_three_seconds(
    enter: Enter, backend: Backend
) -> None:
    page = enter("about:blank")
    page.route_web_socket("**/ws/console", lambda ws: ws.close())
    page.goto("/")
    expect(page.locator("#feed")).to_have_text("Every 3 s: no WebSocket")
    backend.send("for later")
    expect(page.locator("#pending .waiting")).to_contain_text("for later")


def test_a_stranger_is_asked_to_log_in_and_staff_without_permission_is_told_why(
    enter: Enter,
) -> None:
    stranger = enter(who="stranger")
    expect(stranger.get_by_role("link", name="Log in to see it")).to_be_visible()
    expect(stranger.locator(".desk")).to_have_count(0)
    expect(enter(who="nobody").get_by_text("inbox.view_notification")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(enter: Enter, backend: Backend, scheme: Any) -> None:
    page = enter("about:blank", NARROW)
    page.emulate_media(color_scheme=scheme)
    user_id, login = 10**17, "somebody.with.a.very.long.login@an-even-longer.example"
    backend.send("w" * 300, user_id=user_id, login=login)
    page.goto(f"/?inbox={user_id}-{login}")
    state(page, "open")
    expect(item(page, "www")).to_be_visible()
    expect(told(page, "www")).to_be_visible()
    expect(page.locator("#pending .waiting")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
