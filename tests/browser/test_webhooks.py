"""Somebody who never read the docs sets up a webhook, with a real browser and a real receiver."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from jobs.testing import drain, job_perform
from lib import clock
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Lane, Tally
from tests.browser.conftest import NARROW, Open, Staff
from tests.notifications.webhooks.conftest import receiver
from tests.notifications.webhooks.receiver import Answer, Receiver
from tests.notifications.webhooks.rows import delivery_make, endpoint_make

__all__ = ["receiver"]

Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def anna(staff: Staff) -> str:
    """Of the group Admin."""
    return staff("anna", "Admin")


@pytest.fixture
def busy(committed: None) -> Endpoint:
    """An endpoint with a day behind it, down just now, and one delivery that was given up."""
    endpoint, now = endpoint_make(description="Orders team"), clock.now()
    Lane.objects.update(
        failing_since=now - timedelta(days=3), failures=7, last_error="answered 503",
        open_until=now + timedelta(minutes=4), last_success_at=now - timedelta(days=3),
    )  # fmt: skip
    for hours in range(20):
        Tally.objects.create(
            endpoint_id=endpoint.pk, at=now - timedelta(hours=hours), delivered=hours * 7,
            failed=20 - hours, throttled=hours % 3, duration_ms=90 * (hours * 7 + 20),
        )  # fmt: skip
    failed = delivery_make(
        endpoint, {"order": 7}, state="failed", tries=10, attempts=10, last_status=503,
        last_error="answered 503",
    )  # fmt: skip
    Attempt.objects.create(
        delivery=failed, endpoint_id=endpoint.pk, number=10, at=now, duration_ms=84,
        outcome="failed", status=503, error="answered 503", url=endpoint.url,
        response_type="text/html", response_body="<h1>Down for maintenance</h1>",
    )  # fmt: skip
    return endpoint


def test_an_endpoint_is_set_up_tried_and_repaired(
    anna: str, receiver: Receiver, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(session=anna)
    page.goto("/admin/")
    page.get_by_role("link", name="Webhook endpoints", exact=True).click()
    page.get_by_role("link", name="Make the first one").click()
    page.get_by_label("Title").fill("Shop")
    page.get_by_label("Address").fill("https://10.0.0.1/hooks")
    page.get_by_label("All event types").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("10.0.0.1 is not on the public internet")).to_be_visible()
    page.get_by_label("Address").fill("https://shop.example/hooks")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing has been sent yet")).to_be_visible()

    # The name leads nowhere; the receiver of the test stands in for the shop, and is broken at first.
    meanwhile(lambda: Endpoint.objects.update(url=receiver.url()))
    receiver.answers(Answer(500, body=b"out of order"))
    page.locator("summary", has_text="Send a test").click()
    page.get_by_role("button", name="Send the test event").click()
    page.get_by_role("link", name="see what it answers").click()
    meanwhile(lambda: job_perform("webhooks.send_due"))
    expect(page.get_by_text("Failed once; the last time: answered 500.")).to_be_visible()
    page.get_by_text("Its answer").click()
    expect(page.get_by_text("out of order")).to_be_visible()

    # Repaired: a replay of what was given up arrives, and the page of the endpoint says that it works.
    page.locator("summary", has_text="Cancel").click()
    page.get_by_role("button", name="Cancel the delivery").click()
    page.locator("summary", has_text="Replay").click()
    page.get_by_role("button", name="Replay the delivery").click()
    meanwhile(lambda: job_perform("webhooks.send_due"))
    expect(page.get_by_text("answered 204")).to_be_visible()
    page.get_by_role("link", name="Shop").first.click()
    expect(page.get_by_text("Works; the last delivery was at")).to_be_visible()
    assert receiver.received[0].body == receiver.received[1].body


def test_what_failed_since_an_outage_is_replayed_after_a_look(
    anna: str, busy: Endpoint, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(session=anna)
    page.goto("/admin/")
    page.get_by_role("link", name="1 webhook endpoint about to be switched off").click()
    page.get_by_role("link", name="Shop").first.click()
    page.get_by_label("Events since (UTC)").fill("2h")
    page.get_by_role("button", name="See how many").click()
    expect(page.get_by_role("heading", name="Send 1 delivery again?")).to_be_visible()
    page.get_by_role("button", name="Send them again").click()
    expect(page.get_by_text("They are being sent again")).to_be_visible()
    meanwhile(lambda: drain(queues=["maintenance"]))
    assert meanwhile(lambda: Delivery.objects.get().state) == "pending"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(anna: str, busy: Endpoint, open_page: Open, scheme: Any) -> None:
    delivery = busy.deliveries.get().pk
    page = open_page(NARROW, session=anna)
    page.emulate_media(color_scheme=scheme)
    page.goto("/admin/")
    home, deliveries = "/admin/webhooks/endpoint/", "/admin/webhooks/delivery/"
    for address in (
        home,
        f"{home}types/",
        f"{home}new/",
        f"{home}{busy.pk}/change/",
        f"{home}{busy.pk}/replay/?since=2h&which=failed",
        deliveries,
        f"{deliveries}{delivery}/change/",
        f"{deliveries}act/?action=replay&scope=matching&state=failed",
    ):
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, address
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW["width"], f"{address} is {wide} pixels wide"
