"""An admin exports what a list shows, watches it being written, downloads it and revokes its link."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from jobs.testing import drain
from reports.exports.models import Export
from tests.browser.conftest import NARROW, Open, Staff
from tests.reports.exports.rows import paid, payment

Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def rows(committed: None) -> Iterator[None]:
    paid(7)
    payment()
    yield
    for path in settings.EXPORT_DIR.glob("*.csv"):
        path.unlink()


def test_what_a_list_shows_becomes_a_file(
    rows: None, staff: Staff, open_page: Open, meanwhile: Meanwhile, tmp_path: Path
) -> None:
    page = open_page(session=staff("olga", "Admin"))
    page.goto("/admin/payments/payment/?state=completed")
    page.get_by_role("link", name="Export what matches").click()
    expect(page.locator("[name=f-state][value=completed]")).to_be_checked()
    page.get_by_role("button", name="Last 30 days").click()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Look first").click()
    expect(page.locator("#look tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Order the export").click()
    expect(page.locator("[data-state]")).to_have_text("waiting")

    meanwhile(lambda: drain(queues=["default"]))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download payments_all").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("id,ordered_at,state")
    assert len(lines) == 2
    assert download.value.suggested_filename.startswith("payments_all_")

    link = page.locator("#link").input_value().split("8000", 1)[1]
    stranger = open_page(NARROW)
    stranger.goto(link)
    with stranger.expect_download():
        stranger.get_by_role("link", name="Download").click()
    page.locator("summary", has_text="Revoke the link").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("The link is revoked.")).to_be_visible()
    stranger.goto(link)
    expect(stranger.get_by_text("opens nothing any more")).to_be_visible()
    assert meanwhile(lambda: Export.objects.get().downloads) == 2
    page.set_viewport_size(NARROW)
    page.goto("/admin/exports/export/")
    expect(page.get_by_role("link", name="Payments, csv")).to_be_visible()
