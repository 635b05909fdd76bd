"""The progress page when the line is bad: it says so, comes back by itself, and never lies."""

import pytest
from playwright.sync_api import Page, Route, expect

from jobs.batches import batch_open, batch_seal
from jobs.models import Batch
from notifications.broadcasts.services import broadcast_send_now
from tests.browser.conftest import NARROW, Enter
from tests.browser.inbox_pod import Pod
from tests.browser.test_jobs_console import Meanwhile
from tests.notifications.broadcasts.rows import broadcast_make


@pytest.fixture
def batch(committed: None) -> str:
    """A batch of ten jobs of which four are done."""
    made = batch_open(title="Import of November")
    Batch.objects.filter(pk=made).update(total=10, completed=4)
    batch_seal(made)
    return str(made)


def move(meanwhile: Meanwhile, batch: str, **counts: int) -> None:
    meanwhile(lambda: Batch.objects.filter(pk=batch).update(**counts))


def done(page: Page, count: int) -> None:
    expect(page.locator(".pl-legend .is-done")).to_contain_text(f"{count} done")


def test_the_page_comes_back_after_the_server_was_killed(
    batch: str, enter: Enter, pod: Pod, meanwhile: Meanwhile
) -> None:
    page = enter(f"/progress/{batch}")
    expect(page.locator("[data-link=live]")).to_be_visible()
    done(page, 4)
    pod.kill()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(page.locator("[data-link=away]")).to_have_text("Not connected")
    done(page, 4)  # what was last known stays
    move(meanwhile, batch, completed=9, dead=1)
    pod.start()
    expect(page.locator("[data-link=live]")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    done(page, 9)
    expect(page.locator(".pl-reasons li")).to_contain_text("gave up after all their tries")


def test_the_page_comes_back_after_a_server_that_stopped_in_order(
    batch: str, enter: Enter, pod: Pod, meanwhile: Meanwhile
) -> None:
    page = enter(f"/progress/{batch}")
    expect(page.locator("[data-link=live]")).to_be_visible()
    pod.stop()
    move(meanwhile, batch, completed=8)
    pod.start()
    expect(page.locator("[data-link=live]")).to_be_visible()
    done(page, 8)


def test_without_websockets_it_is_asked_by_rest(
    batch: str, enter: Enter, meanwhile: Meanwhile
) -> None:
    page = enter("/admin/")
    page.route_web_socket("**/ws/progress/*", lambda socket: socket.close(code=1011))
    page.goto(f"/progress/{batch}")
    expect(page.locator("[data-link=polling]")).to_have_text("Every 2 s: no WebSocket")
    move(meanwhile, batch, completed=7)
    done(page, 7)


def test_who_is_logged_out_is_led_to_the_login(batch: str, enter: Enter) -> None:
    page = enter(f"/progress/{batch}")
    expect(page.locator("[data-link=live]")).to_be_visible()
    page.context.clear_cookies()
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    expect(page.get_by_role("alert")).to_contain_text("You are not logged in any more.")
    page.get_by_role("link", name="Log in again").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.url.endswith(f"/admin/login/?next=%2Fprogress%2F{batch}")


def test_an_act_whose_answer_got_lost_does_not_claim_to_be_done(
    batch: str, enter: Enter, meanwhile: Meanwhile
) -> None:
    page = enter("/admin/")

    def lose(route: Route) -> None:
        route.abort()

    page.route("**/actions/*", lose)
    broadcast = meanwhile(_sending)
    page.goto(f"/progress/{broadcast}")
    page.locator(".pl-acts").get_by_role("button", name="Pause").click()
    page.locator("dialog").get_by_role("button", name="Pause").click()
    expect(page.locator("[data-said]")).to_contain_text("it is not known whether it was done")


def test_two_look_at_the_same_and_a_stranger_at_nothing(
    batch: str, enter: Enter, meanwhile: Meanwhile
) -> None:
    wide, narrow = enter(f"/progress/{batch}"), enter(f"/progress/{batch}", NARROW)
    move(meanwhile, batch, completed=6)
    for page in (wide, narrow):
        done(page, 6)
        expect(page).to_have_title("60 % · Import of November")
    refused = enter(f"/progress/{batch}", who="nobody")
    expect(refused.locator(".progress-live")).to_have_count(0)
    stranger = enter(f"/progress/{batch}", who="stranger")
    expect(stranger.get_by_label("Password")).to_be_visible()
    move(meanwhile, batch, completed=10)
    meanwhile(lambda: Batch.objects.filter(pk=batch).update(finished_at="2026-11-22T10:00:00Z"))
    for page in (wide, narrow):
        expect(page.locator(".progress-live")).to_have_attribute("data-stage", "over")


def _sending() -> str:
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    return str(row.pk)
