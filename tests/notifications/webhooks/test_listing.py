from collections.abc import Callable
from datetime import timedelta

import pytest

from lib import clock
from lib.errors import InputInvalid
from notifications.webhooks import listing
from notifications.webhooks.listing import DeliveryFilter, deliveries_page
from notifications.webhooks.models import Delivery, Endpoint
from tests.notifications.webhooks.rows import delivery_make, endpoint_make

Fill = Callable[[Endpoint], list[int]]


@pytest.fixture
def fill() -> Fill:
    """Thirty deliveries of one endpoint, every third of which was answered 500."""

    def make(endpoint: Endpoint) -> list[int]:
        return [
            delivery_make(endpoint, last_status=500 if number % 3 == 0 else 204).pk
            for number in range(30)
        ]

    return make


def all_pages(where: DeliveryFilter, size: int) -> list[int]:
    found, after = [], None
    while True:
        page = deliveries_page(where, after=after, size=size)
        assert len(page.deliveries) <= size
        found += [row.pk for row in page.deliveries]
        if page.after is None:
            return found
        after = page.after


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("window", [1, 4, 1000])
def test_pages_hold_each_match_once_newest_first(
    monkeypatch: pytest.MonkeyPatch, fill: Fill, size: int, window: int
) -> None:
    monkeypatch.setattr(listing, "WINDOW", window)
    endpoint = endpoint_make()
    made = fill(endpoint)
    delivery_make(last_status=500)
    assert all_pages(DeliveryFilter(endpoint_id=endpoint.pk), size) == made[::-1]
    where = DeliveryFilter(endpoint_id=endpoint.pk, status=500)
    assert all_pages(where, size) == made[::3][::-1]


def test_a_search_without_an_index_ends_in_time_and_goes_on_with_the_next_page(
    monkeypatch: pytest.MonkeyPatch, fill: Fill
) -> None:
    monkeypatch.setattr(listing, "WINDOW", 5)
    monkeypatch.setattr(listing, "BUDGET_S", -1.0)  # after one window it is late
    endpoint = endpoint_make()
    made = fill(endpoint)
    where = DeliveryFilter(endpoint_id=endpoint.pk, status=500)
    page = deliveries_page(where)
    assert [row.pk for row in page.deliveries] == [made[27]]
    assert page.looked_to == Delivery.objects.get(pk=made[25]).created_at
    assert all_pages(where, 50) == made[::3][::-1]


def test_times_are_a_range_that_begins_but_does_not_end_with_its_moments() -> None:
    endpoint, now = endpoint_make(), clock.now()
    made = [
        delivery_make(endpoint, created_at=now - timedelta(hours=hours)).pk for hours in (3, 2, 1)
    ]
    where = DeliveryFilter(
        created_from=now - timedelta(hours=2), created_to=now - timedelta(hours=1)
    )
    assert all_pages(where, 50) == [made[1]]


def test_old_times_are_found_without_looking_at_what_is_younger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "WINDOW", 1)
    monkeypatch.setattr(listing, "BUDGET_S", -1.0)
    endpoint, now = endpoint_make(), clock.now()
    made = [
        delivery_make(endpoint, created_at=now - timedelta(days=days)).pk
        for days in range(20, 0, -1)
    ]
    page = deliveries_page(DeliveryFilter(created_to=now - timedelta(days=14.5)))
    assert [row.pk for row in page.deliveries] == [made[5]], (
        "the first window holds the first match"
    )


def test_a_state_that_is_none_is_refused() -> None:
    with pytest.raises(InputInvalid, match="retrying"):
        deliveries_page(DeliveryFilter(state="odd"))
