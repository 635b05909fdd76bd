"""Services and rules on a real screen: what is wrong is seen, and a threshold is changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from lib import clock
from monitoring.checks.models import RuleSample, RuleState, ServiceCheck, ServiceSample
from monitoring.checks.services import anomalies_check, rule_change
from tests.browser.conftest import NARROW, Open, Staff
from tests.monitoring.checks.conftest import AWAY, MINUTE, record, rounds

Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def watched(committed: None) -> None:
    """A day of looks, Telegram down for four minutes, and one value beyond its threshold."""
    record(clock.now() - timedelta(days=3))
    ServiceCheck.objects.update(checked_at=clock.now() - 6 * MINUTE)
    rounds(4, clock.now() - 4 * MINUTE, telegram=AWAY)
    at = clock.now()
    ServiceSample.objects.bulk_create(
        ServiceSample(at=at - MINUTE * 20 * n, service="redis", is_ok=n != 7, latency_ms=1 + n % 5)
        for n in range(1, 60)
    )
    RuleSample.objects.bulk_create(
        RuleSample(at=at - MINUTE * 20 * n, rule="disk_space", value=40 + n % 9)
        for n in range(1, 60)
    )
    rule_change(name="disk_space", by=None, threshold=100.0)
    for number in range(2):
        with clock.shift(MINUTE * number):
            anomalies_check()


def test_what_is_wrong_is_seen_and_a_threshold_is_changed(
    watched: None, staff: Staff, open_page: Open, meanwhile: Meanwhile
) -> None:
    alice = staff("alice", "Operator")
    page = open_page(session=alice)
    page.goto("/admin/checks/servicecheck/")
    telegram = page.locator("#service-telegram")
    expect(telegram.get_by_text("4 looks in a row failed")).to_be_visible()
    expect(telegram.locator("svg.uptime")).to_have_count(3)
    meanwhile(lambda: record(clock.now() + MINUTE))
    expect(telegram.locator(".badge")).to_have_text("up")  # the page asks again by itself
    page.get_by_role("link", name="Redis").click()
    expect(page.get_by_role("heading", name="Outages")).to_be_visible()
    expect(page.locator("svg.latency rect.failed")).to_have_count(1)

    page.goto("/admin/checks/rulestate/?condition=over")
    row = page.locator("#rule-disk_space")
    expect(row.locator("svg.trend polyline")).to_be_attached()
    row.locator("summary", has_text="Change").click()
    row.get_by_label("Alert under").fill("5")
    row.get_by_role("button", name="Change the rule").click()
    expect(page.get_by_text("Free disk space: changed.")).to_be_visible()
    assert meanwhile(lambda: RuleState.objects.get(pk="disk_space").threshold) == 5

    page = open_page(NARROW, session=alice)
    for scheme, address in (
        ("light", "/admin/checks/servicecheck/"),
        ("dark", "/admin/checks/servicecheck/telegram/change/?span=7d"),
        ("dark", "/admin/checks/rulestate/"),
    ):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, address
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW["width"], f"{address} is {wide} pixels wide"
