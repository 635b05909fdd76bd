"""What Prometheus reads of the payments."""

from datetime import timedelta

from prometheus_client.metrics_core import Metric

from jobs.testing import job_perform
from lib import clock
from payments.metrics import collect
from payments.models import IncomingWebhook, Review, State
from tests.payments.conftest import order_make
from tests.payments.test_earning import paid


def told() -> dict[tuple[str, ...], float]:
    """{(name, label, ...): value}"""
    found: dict[tuple[str, ...], float] = {}
    family: Metric
    for family in collect():
        for sample in family.samples:
            found[(sample.name, *sample.labels.values())] = sample.value
    return found


def test_totals_go_on_over_the_days_that_are_added_up() -> None:
    now = clock.now()
    paid(1, now - timedelta(days=2))
    paid(2, now)
    paid(3, now, state=State.FAILED, failed_at=now, completed_at=None)
    before = told()
    assert before["payments_total", "completed"] == 2
    assert before["payments_total", "failed"] == 1
    job_perform("payments.compute_financial_stats")
    after = told()
    assert after["payments_total", "completed"] == 2
    assert after["payments_total", "failed"] == 1


def test_open_ones_and_questions_are_counted() -> None:
    order_make()
    Review.objects.create(key="invoice:1", reason="twice")
    found = told()
    assert found["payments_open", "created"] == 1
    assert found["payments_open", "pending"] == 0
    assert found["payment_reviews_open",] == 1


def test_how_fast_and_by_whom_the_last_hour_was_settled() -> None:
    now = clock.now()
    paid(1, now, paid_at=now - timedelta(seconds=2))
    paid(2, now, paid_at=now - timedelta(seconds=6), found_by="poll")
    paid(3, now - timedelta(hours=2), found_by="poll")
    found = told()
    assert found["payments_settle_seconds", "0.5"] == 4
    assert found["payments_settle_seconds", "1"] == 6
    assert found["payments_found", "poll"] == 1
    assert found["payments_poll_before_webhook_ratio",] == 0.5


def test_webhooks_by_source_and_how_long_they_waited() -> None:
    now = clock.now()
    for state, key in (("processed", "a"), ("processed", "b"), ("received", "c")):
        IncomingWebhook.objects.create(
            source="cryptobot",
            key=key,
            body=b"{}",
            state=state,
            received_at=now - timedelta(seconds=30),
            processed_at=now - timedelta(seconds=20) if state == "processed" else None,
        )
    found = told()
    assert found["incoming_webhooks", "cryptobot", "processed"] == 2
    assert found["incoming_webhook_lag_seconds", "cryptobot"] == 10
    assert found["incoming_webhooks_waiting",] == 1
    assert found["incoming_webhook_oldest_seconds",] >= 30


def test_nothing_at_all_is_zero() -> None:
    found = told()
    assert found["payments_total", "completed"] == 0
    assert found["payments_poll_before_webhook_ratio",] == 0
