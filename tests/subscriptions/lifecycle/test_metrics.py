"""Numbers for Prometheus."""

from datetime import timedelta

import pytest

from lib import clock
from subscriptions.lifecycle import metrics
from subscriptions.lifecycle.expired import NAME
from subscriptions.models import Notice, Sweep
from tests.subscriptions.lifecycle.people import subscriber_make

pytestmark = pytest.mark.django_db


def numbers() -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in metrics.collect()
        for sample in metric.samples
    }


def test_notices_of_a_day_and_the_last_run_of_each_sweep_are_told() -> None:
    row, now = subscriber_make(1, timedelta(hours=1)), clock.now()
    for stage, state, age in (("6h", "due", 5), ("24h", "queued", 60), ("7d", "queued", 60 * 30)):
        Notice.objects.create(
            subscriber=row,
            stage=stage,
            state=state,
            expire_at=now,
            created_at=now - timedelta(minutes=age),
        )
    Sweep.objects.create(name=NAME, state="done", found=9, done=9)
    Sweep.objects.create(name=NAME, state="held", found=40, skipped=2)
    found = numbers()
    assert found[("subscription_notices_day", "6h", "due")] == 1
    assert found[("subscription_notices_day", "24h", "queued")] == 1
    assert ("subscription_notices_day", "7d", "queued") not in found
    assert found[("subscription_notices_due",)] == 1
    assert found[("subscription_notices_oldest_due_seconds",)] >= 299
    assert found[("subscription_sweep_people", NAME, "found")] == 40
    assert found[("subscription_sweep_people", NAME, "skipped")] == 2
    assert found[("subscription_sweeps_held",)] == 1


def test_an_empty_house_tells_zeros() -> None:
    found = numbers()
    assert found[("subscription_notices_due",)] == 0
    assert found[("subscription_notices_oldest_due_seconds",)] == 0
    assert found[("subscription_sweeps_held",)] == 0
