"""Alerts on a real screen: what is wrong is seen, taken, silenced for a while and written about."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from monitoring.alerts.models import Alert
from tests.browser.conftest import NARROW, Open, Staff
from tests.monitoring.alerts.rows import raised

LONG = "The queue is long: " + "x " * 60  # its lines are filled to the end
# Boxes to tick that lie over the name of their row.
COVERED = """rows => rows.filter((row) => {
  const box = row.querySelector("td.choose input").getBoundingClientRect();
  return [...row.querySelector("a.kind").getClientRects()].some((line) =>
    line.right > box.left && line.left < box.right && line.bottom > box.top && line.top < box.bottom);
}).length"""
Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def wrong(committed: None) -> None:
    """A panel that does not answer, a server behind it, and a long queue."""
    panel = ("panel_unreachable", "remnawave")
    raised(panel[1], rule=panel[0], title="The panel does not answer", text="HTTP 502")
    raised("fra-1", parent=panel)
    raised("default", rule="queue_depth", severity="warning", title=LONG)


def test_an_alert_is_taken_silenced_and_written_about(
    wrong: None, staff: Staff, open_page: Open, meanwhile: Meanwhile
) -> None:
    alice = staff("alice", "Operator")
    page = open_page(session=alice)
    page.goto("/admin/alerts/alert/")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("The panel does not answer")  # the worst first
    expect(rows.last).to_contain_text("hidden")
    rows.first.get_by_role("link", name="The panel does not answer").click()

    page.locator("summary", has_text="Acknowledge").click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("alice has it")).to_be_visible()
    expect(page.locator(".title .badge", has_text="acknowledged")).to_be_visible()
    page.locator("summary", has_text="Silence").click()
    page.get_by_label("For how long").select_option("4")
    page.get_by_label("Why").fill("they move")
    page.get_by_role("button", name="Silence it").click()
    expect(page.locator(".title .badge", has_text="silenced")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("they move")
    expect(page.get_by_role("link", name="Server fra-1 is offline")).to_be_visible()
    page.get_by_label("What it was, what helped").fill("A cable.")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("The note is kept.")).to_be_visible()
    row = meanwhile(lambda: Alert.objects.get(key="remnawave"))
    assert (row.acked_by, row.note, row.silenced_until is not None) == ("alice", "A cable.", True)

    page.goto("/admin/alerts/alert/?severity=warning")
    page.get_by_role("checkbox", name="Tick all").check()
    page.get_by_role("combobox", name="What to do").select_option("resolve")
    page.get_by_role("button", name="chosen").click()
    page.get_by_role("button", name="Resolve 1 alert").click()
    expect(page.get_by_role("heading", name="1 alert resolved")).to_be_visible()

    page = open_page(NARROW, session=alice)
    for scheme, address in (
        ("light", "/admin/alerts/alert/?state=all"),
        ("dark", f"/admin/alerts/alert/{row.pk}/change/"),
        ("dark", "/admin/alerts/silence/"),
        ("light", "/admin/alerts/silence/new/"),
    ):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(address)
        expect(page.locator(".console")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        if page.locator("tbody td.choose").count():
            assert page.locator("tbody tr:has(td.choose)").evaluate_all(COVERED) == 0
