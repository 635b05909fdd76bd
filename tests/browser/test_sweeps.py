"""An operator meets a sweep that the brake holds, looks at who they are, and decides."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from subscriptions.lifecycle.expired import EXPIRED, NAME
from subscriptions.lifecycle.sweeps import settings_change, sweep_begin
from subscriptions.models import Notice, Sweep
from tests.browser.conftest import NARROW, Open, Staff
from tests.subscriptions.lifecycle.people import subscriber_make

Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def held(committed: None) -> Sweep:
    """Three people are one too many."""
    settings_change(name=NAME, by=None, most=2)
    for number in range(3):
        row = subscriber_make(number, -timedelta(hours=1))
        Notice.objects.create(
            subscriber=row, stage="6h", expire_at=row.expire_at, state="skipped", reason="blocked"
        )
    sweep = sweep_begin(EXPIRED)
    assert sweep is not None
    return sweep


def test_a_held_sweep_is_found_looked_at_and_refused(
    held: Sweep, staff: Staff, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(session=staff("olga", "Operator"))
    page.goto("/admin/")
    page.get_by_role("link", name="sweep held by the brake").first.click()
    expect(page.get_by_text("3 people are more than the limit of 2.").first).to_be_visible()
    page.get_by_role("row", name="held by the brake").get_by_role("link").last.click()
    expect(page.get_by_text("The brake holds it.")).to_be_visible()
    expect(page.locator("#people").get_by_text("user_1")).to_be_visible()
    page.locator("summary", has_text="Refuse").click()
    page.get_by_role("button", name="Refuse the run").click()
    expect(page.get_by_text("Nobody of the 3 is cut, also not by later runs.")).to_be_visible()
    assert meanwhile(lambda: Sweep.objects.get().state) == "refused"
    page.set_viewport_size(NARROW)
    page.goto("/admin/subscriptions/sweep/?state=refused")
    expect(page.get_by_text("refused by a person: olga")).to_be_visible()
    page.goto("/admin/subscriptions/notice/")
    expect(page.get_by_role("cell", name="The person has blocked the bot.").first).to_be_visible()
