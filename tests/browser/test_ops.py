"""The live dashboard and the start page of the admin, with a real browser."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from monitoring.dashboard.events import event_note
from monitoring.dashboard.refreshing import snapshot_refresh
from tests.browser.conftest import NARROW, Enter, Open, Staff
from tests.monitoring.dashboard.rows import alert_make, node_make, paid

Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def business(committed: None) -> None:
    """Servers, money, one thing that is wrong, and a picture of it all."""
    node_make("ams-1")
    node_make("fra-1", health="offline", country_code="DE")
    alert_make(title="fra-1 is offline")
    for number in range(12):
        paid(timedelta(hours=2 * number, minutes=1))
    event_note("node_offline", "fra-1 is offline", "/admin/", "critical")
    snapshot_refresh()


def width_fits(page: Page) -> bool:
    found: bool = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return found


def test_the_dashboard_is_pushed_what_happens(
    business: None, enter: Enter, meanwhile: Meanwhile
) -> None:
    """By the web process as it is in production, which writes one frame to all sockets."""
    page = enter("/ops/")
    expect(page.locator("[data-pill]")).to_have_text("Live")
    expect(page.locator('[data-tile="servers"] .value')).to_have_text("1 / 2")
    expect(page.locator('[data-tile="money"] .value')).to_have_text("5 USDT")
    expect(page.locator(".alerts")).to_contain_text("fra-1 is offline")
    expect(page.get_by_role("link", name="what to do")).to_have_attribute(
        "href", "/admin/runbook/node_offline/"
    )
    expect(page.locator('[data-chart="money"] rect.bar')).to_have_count(24)
    expect(page.locator("[data-age]")).to_contain_text("figures are")

    def happen() -> None:
        alert_make("queue_depth", severity="warning", title="Queue default is deep")
        event_note("queue_depth", "Queue default is deep", "/admin/", "warning")

    meanwhile(happen)
    expect(page.locator(".events li").first).to_contain_text("Queue default is deep")
    expect(page.locator('[data-tile="alerts"] .value')).to_have_text("2")
    meanwhile(lambda: event_note("payment_completed", "Paid: Standard, 5 USDT"))
    page.locator("[data-which]").select_option("payment")
    expect(page.locator(".events li")).to_have_count(1)
    page.locator('[data-chart="money"]').press("ArrowLeft")
    expect(page.locator('[data-chart="money"] output')).to_contain_text("paid 5 USDT")
    page.get_by_text("24 h", exact=True).click()

    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.set_viewport_size(NARROW)
    assert width_fits(page)


def test_without_a_websocket_it_asks_instead(
    business: None, staff: Staff, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(session=staff("olga", "Support"))
    tries: list[WebSocketRoute] = []

    def refuse(socket: WebSocketRoute) -> None:
        tries.append(socket)
        if len(tries) == 2:  # from now on it is asked by REST
            meanwhile(lambda: event_note("node_online", "fra-1 is back"))
        socket.close()

    page.route_web_socket("**/ws/dashboard", refuse)
    page.goto("/ops/")
    expect(page.locator("[data-pill]")).to_have_text("Every 10 s: no WebSocket")
    expect(page.locator(".events li").first).to_contain_text("fra-1 is back")


def test_the_start_page_answers_what_is_wrong_and_what_to_do(
    business: None, staff: Staff, open_page: Open
) -> None:
    paid(timedelta(days=7))  # of today there may be nothing yet, a second after midnight
    page = open_page(session=staff("olga", "Operator"))
    page.goto("/admin/")
    figure = page.locator(".now-figure", has_text="Open alerts")
    expect(figure.locator(".now-value")).to_have_text("1")
    expect(page.locator(".now-figure", has_text="Money today").locator("svg")).to_be_visible()
    page.set_viewport_size(NARROW)
    assert width_fits(page)
    figure.get_by_role("link", name="What to do").click()
    expect(page.get_by_role("heading", name="Runbook: node_offline")).to_be_visible()
