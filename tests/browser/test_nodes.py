"""An operator finds the server that is down on the list and on the map, and takes it out of service."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from lib import clock
from monitoring.nodes.locating import nodes_locate
from monitoring.nodes.models import Node
from monitoring.nodes.telling import alerts_write
from tests.browser.conftest import NARROW, Open, Staff
from tests.monitoring.nodes.rows import HOUR, hour_make, node_make, state_make

Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def lost(committed: None) -> Node:
    """Two well ones at one place, and one in Poland that is down."""
    for number in (1, 2):
        row = node_make(number, name=f"NL-{number}")
        state_make(row, "offline", 30 * HOUR, 29 * HOUR)
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        for back in range(1, 30):
            hour_make(row, hour - back * HOUR, rate=back * 100_000)
    down = node_make(
        3, name="PL-Warsaw", country_code="PL", health="offline", health_since=clock.now() - HOUR,
        status_message="connect ETIMEDOUT",
    )  # fmt: skip
    nodes_locate()
    alerts_write(clock.now())
    return down


def test_a_server_that_is_down_is_found_and_silenced(
    lost: Node, staff: Staff, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(session=staff("olga", "Operator"))
    page.goto("/admin/nodes/node/?state=troubled")
    row = page.get_by_role("row", name="PL-Warsaw")
    expect(row.get_by_text("offline", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="NL-1")).to_have_count(0)
    page.get_by_role("link", name="Map", exact=True).click()
    for name in ("NL-1", "NL-2"):
        expect(page.locator(".map-pins").get_by_role("link", name=name)).to_be_visible()
    boxes = [page.locator(".map-pins .pin").nth(number).bounding_box() for number in range(3)]
    assert len({(box["x"], box["y"]) for box in boxes if box}) == 3
    pin = page.locator(".map-pins").get_by_role("link", name="PL-Warsaw, Poland: offline")
    pin.hover()
    expect(pin.get_by_text("uptime of 24 h")).to_be_visible()
    pin.click()
    expect(page.get_by_text("The panel cannot reach it")).to_be_visible()
    expect(page.get_by_role("link", name="Server PL-Warsaw is offline")).to_be_visible()
    page.locator("summary", has_text="Silence").click()
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_text("For 1 hour nobody is told of alerts of PL-Warsaw.")).to_be_visible()
    page.set_viewport_size(NARROW)
    for path in (
        "/admin/nodes/node/",
        "/admin/nodes/node/map/",
        f"/admin/nodes/node/{lost.pk}/change/",
    ):
        page.goto(path)
        expect(page.get_by_text("PL-Warsaw").locator("visible=true").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"], path
