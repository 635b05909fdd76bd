"""An admin looks at the figures, has the report sent to himself, and reads it on a phone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from notifications.telegram.models import QueuedMessage
from reports.statistics.models import Report
from reports.statistics.services import latest_period, report_make
from tests.browser.conftest import NARROW, Open, Staff
from tests.reports.statistics.rows import at
from tests.reports.statistics.stats import incident, line, stat

Meanwhile = Callable[[Callable[[], Any]], Any]
DAY = timedelta(days=1)


@pytest.fixture
def report(committed: None) -> Report:
    """Three weeks of days, and the report of the last whole week."""
    monday = latest_period("weekly")
    for number in range(-14, 7):
        day = monday + DAY * number
        stat(
            day,
            amount=str(60 - number),
            revenue_by_plan=[line("month", "Standard, 1 month", str(60 - number), 12)],
            incidents=[incident("fra-1", at(day, 4), timedelta(minutes=9))] if number > 2 else [],
        )
    return report_make(kind="weekly", period=monday)[0]


def test_a_report_is_read_and_sent_to_oneself(
    staff: Staff, report: Report, open_page: Open, meanwhile: Meanwhile
) -> None:
    session = staff("alice", "Operator")
    page = open_page(session=session)
    page.goto("/admin/statistics/report/")
    page.locator("table").first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="As it goes to Telegram")).to_be_visible()
    expect(page.get_by_text("Отчёт за неделю")).to_be_visible()
    expect(page.locator("svg.stat-chart").first).to_be_visible()
    page.locator("summary", has_text="Send to one chat").click()
    page.get_by_label("Telegram id of the chat").fill("777")
    page.get_by_label("Language").select_option("ru")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Sent to chat 777.")).to_be_visible()
    expect(page.get_by_text("alice", exact=False).last).to_be_attached()
    text = meanwhile(lambda: QueuedMessage.objects.get(telegram_id=777).message)
    assert "Отчёт за неделю" in text
    phone = open_page(NARROW, session=session)
    home = "/admin/statistics"
    for scheme in ("light", "dark"):
        phone.emulate_media(color_scheme=scheme)
        for address in (
            f"{home}/report/",
            f"{home}/report/{report.pk}/change/",
            f"{home}/dailystat/?days=90",
            f"{home}/dailystat/business/",
            f"{home}/dailystat/{report.period}/change/",
        ):
            answer = phone.goto(address)
            assert answer is not None
            assert answer.ok, address
            wide = phone.evaluate("document.documentElement.scrollWidth")
            assert wide <= NARROW["width"], f"{address} is {wide} pixels wide"
