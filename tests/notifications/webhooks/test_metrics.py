from datetime import timedelta

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from lib import clock
from notifications.webhooks.metrics import collect
from notifications.webhooks.models import Lane, Tally
from tests.notifications.webhooks.rows import delivery_make, endpoint_make


def numbers() -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in collect()
        for sample in metric.samples
    }


def test_attempts_are_counted_by_outcome(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for days in (0, 20):
        Tally.objects.create(
            endpoint_id=endpoint_make().pk, at=clock.now() - timedelta(days), delivered=5, failed=2,
            throttled=1, duration_ms=1500,
        )  # fmt: skip
    with django_assert_num_queries(3):
        found = numbers()
    assert found["webhook_attempts_total", "delivered"] == 10
    assert found["webhook_attempts_total", "failed"] == 4
    assert found["webhook_attempts_total", "throttled"] == 2
    assert found["webhook_attempts_seconds_total",] == 3


def test_endpoints_and_what_waits_for_them() -> None:
    now = clock.now()
    failing = endpoint_make()
    Lane.objects.update(failing_since=now, open_until=now + timedelta(minutes=1))
    endpoint_make(state="disabled", disabled_at=now, disabled_reason="gone")
    delivery_make(failing, next_attempt_at=now - timedelta(seconds=90))
    delivery_make(failing, next_attempt_at=now + timedelta(hours=1))
    delivery_make(failing, state="delivered")
    found = numbers()
    assert found["webhook_endpoints", "enabled"] == 1
    assert found["webhook_endpoints", "disabled"] == 1
    assert found["webhook_endpoints", "failing"] == 1
    assert found["webhook_endpoints", "broken"] == 1
    assert found["webhook_deliveries_pending",] == 2
    assert 90 <= found["webhook_delivery_late_seconds",] < 120


def test_an_empty_site_has_all_numbers() -> None:
    assert set(numbers().values()) == {0}


def test_the_site_tells_them() -> None:
    text = Client().get("/metrics").content.decode()
    assert "webhook_attempts_total" in text
    assert "webhook_delivery_late_seconds" in text
