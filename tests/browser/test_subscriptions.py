"""Support staff at work, with a real browser and a real panel: who paid is served, many are extended."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import expect

from jobs.testing import drain
from lib import clock
from subscriptions.models import AccessGap, Activation, BulkOperation, Subscriber
from subscriptions.panel.door import clients_forget
from tests.browser.conftest import NARROW, Open, Staff
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import ends_of, paid, person_make, plan_make

__all__ = ["sandbox", "sandbox_server"]

Meanwhile = Callable[[Callable[[], Any]], Any]
HOME = "/admin/subscriptions/"


@pytest.fixture
def panel(sandbox: Sandbox, committed: None) -> Iterator[PanelHand]:
    """The panel; the jobs of the test reach it, the server of the pages only looks at our tables."""
    before = settings.REMNAWAVE_URL, settings.REMNAWAVE_API_TOKEN, settings.PANEL_RATE
    settings.REMNAWAVE_URL = sandbox.panel_url
    settings.REMNAWAVE_API_TOKEN = "tests-panel"
    settings.PANEL_RATE = "10000/s"
    sandbox.panel.settings(expiry_every_s=1e7, limited_every_s=1e7, bulk_delay_s=0)
    clients_forget()
    yield sandbox.panel
    clients_forget()
    settings.REMNAWAVE_URL, settings.REMNAWAVE_API_TOKEN, settings.PANEL_RATE = before


@pytest.fixture
def stuck(panel: PanelHand) -> Activation:
    """Somebody who paid ten minutes ago and whose activation failed."""
    row = person_make(panel, ends_in=timedelta(minutes=1), username="anna_k", plan=plan_make())
    activation = paid(row)
    ago = clock.now() - timedelta(minutes=10)
    Activation.objects.filter(pk=activation.pk).update(
        state="failed", attempts=4, last_error="HTTP 500", created_at=ago
    )
    AccessGap.objects.create(
        payment=activation.payment, kind="failed", found_at=ago,
        facts={"provider": "paid 5 USDT", "ledger": "completed", "panel": "ends in a minute"},
    )  # fmt: skip
    return activation


def test_who_paid_and_has_no_access_is_found_and_healed(
    stuck: Activation, panel: PanelHand, staff: Staff, open_page: Open, meanwhile: Meanwhile
) -> None:
    invoice, row = stuck.payment.external_id, stuck.subscriber
    assert row is not None
    page = open_page(session=staff("olga", "Operator"))
    page.goto(f"{HOME}subscriber/")
    page.get_by_label("Find a subscriber").fill(str(invoice))
    page.get_by_role("button", name="Find").click()

    # What is wrong stands on top, with what each side says and the button that helps.
    expect(page.get_by_role("alert")).to_contain_text(
        "Money without access: the activation failed."
    )
    expect(page.get_by_role("alert")).to_contain_text("paid 5 USDT")
    page.locator("summary", has_text="Heal").click()
    page.get_by_role("button", name="Heal", exact=True).click()
    expect(page.get_by_text("Try again: it runs.")).to_be_visible()
    meanwhile(drain)
    page.reload()
    expect(page.get_by_text("Nothing is wrong: the panel serves until")).to_be_visible()
    expect(page.get_by_text("The payment was activated")).to_be_visible()
    assert ends_of(panel, row) >= clock.now() + timedelta(days=29)

    # Who may only look reads the same page, and has no button.
    looking = open_page(NARROW, session=meanwhile(lambda: staff("sam", "Support")))
    looking.goto(f"{HOME}subscriber/{row.pk}/change/")
    expect(looking.get_by_text("Nothing is wrong")).to_be_visible()
    assert looking.locator(".console form[method=post]").count() == 0


def test_all_who_match_are_extended_after_a_look(
    panel: PanelHand, staff: Staff, open_page: Open, meanwhile: Meanwhile
) -> None:
    people = [person_make(panel, tag="TRIAL") for _ in range(3)]
    other = person_make(panel)
    page = open_page(session=staff("olga", "Operator"))
    page.goto(f"{HOME}subscriber/?tag=TRIAL")
    expect(page.get_by_role("link", name=people[0].username)).to_be_visible()
    page.get_by_role("button", name="with all that match").click()
    page.get_by_label("By days").fill("5")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("heading", name="Extend by 5 days")).to_be_visible()
    expect(page.get_by_role("button", name="Extend 3 subscribers")).to_be_visible()
    assert not meanwhile(BulkOperation.objects.exists)
    page.get_by_role("button", name="Extend 3 subscribers").click()
    page.wait_for_url("**/progress/**")
    meanwhile(drain)
    expect(page.locator("[data-state]")).to_have_text("done")
    expect(page.locator("[data-percent]")).to_have_text("100")
    added = [ends_of(panel, row) - row.expire_at for row in (*people, other)]
    assert added == [timedelta(days=5)] * 3 + [timedelta(0)]
    operation = meanwhile(lambda: BulkOperation.objects.get().pk)
    page.goto(f"{HOME}bulkoperation/{operation}/change/")
    expect(page.get_by_role("link", name=people[2].username)).to_be_visible()


def test_every_page_fits_a_phone(stuck: Activation, staff: Staff, open_page: Open) -> None:
    row = stuck.subscriber
    assert row is not None
    Subscriber.objects.filter(pk=row.pk).update(note="A" * 200, description="B" * 200)
    operation = BulkOperation.objects.create(kind="extend", params={"days": 3}, source="api").pk
    page = open_page(NARROW, session=staff("anna", "Admin"))
    for address in (
        "subscriber/", "subscriber/?status=EXPIRED", f"subscriber/{row.pk}/change/",
        f"subscriber/act/?action=extend&id={row.pk}", "subscriber/upload/", "subscriber/expiring/",
        "accessgap/", "plan/", "plan/standard/change/", "plan/new/", "drift/", "bulkoperation/",
        f"bulkoperation/{operation}/change/", "subscribercount/", "mirrorpass/", "panelstate/",
    ):  # fmt: skip
        answer = page.goto(f"{HOME}{address}")
        assert answer is not None
        assert answer.ok, address
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW["width"], f"{address} is {wide} pixels wide"
