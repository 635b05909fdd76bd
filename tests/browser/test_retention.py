"""An operator wants to know what leaves: counts first, removes then, on a phone, too."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from jobs.testing import drain
from notifications.telegram.models import QueuedMessage
from tests.browser.conftest import NARROW, Open, Staff
from tests.reports.retention.rows import message_make

Meanwhile = Callable[[Callable[[], Any]], Any]
LIST = "/admin/retention/retentionrun/"


@pytest.fixture
def anna(staff: Staff) -> str:
    """Of the group Admin."""
    return staff("anna", "Admin")


def test_what_leaves_is_counted_and_then_removed(
    anna: str, open_page: Open, meanwhile: Meanwhile
) -> None:
    meanwhile(lambda: [message_make(30) for _ in range(3)] + [message_make(30, "pending")])
    page = open_page(session=anna)
    page.goto(LIST)
    row = page.locator("tr", has=page.get_by_text("Telegram messages", exact=True))
    row.locator("summary", has_text="Count").click()
    row.get_by_role("button", name="Count it").click()
    page.get_by_role("link", name="follow it").click()
    expect(page.get_by_text("it begins when a worker is free")).to_be_visible()
    meanwhile(drain)
    expect(page.get_by_text("3 rows would go")).to_be_visible()
    assert meanwhile(QueuedMessage.objects.count) == 4
    page.locator("summary", has_text="Remove now").click()
    page.get_by_role("button", name="Remove what is old").click()
    page.get_by_role("link", name="follow it").click()
    meanwhile(drain)
    expect(page.locator("td.mono", has_text="notification_queue")).to_be_visible()
    assert meanwhile(QueuedMessage.objects.count) == 1

    page.goto(LIST)
    expect(page.get_by_role("heading", name="Tables in days")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    phone = open_page(session=anna, viewport=NARROW)
    phone.goto(LIST)
    expect(phone.get_by_role("heading", name="Tables in days")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
