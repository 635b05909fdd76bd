"""What Prometheus reads of services and rules."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lib import clock
from monitoring.checks import metrics
from monitoring.checks.services import anomalies_check, rule_change
from tests.monitoring.checks.conftest import AWAY, MINUTE, rounds

pytestmark = pytest.mark.usefixtures("calm")


def told() -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], Any] = {}
    for family in metrics.collect():
        for sample in family.samples:
            found[(sample.name, *sample.labels.values())] = sample.value
    return found


def test_services_are_told_with_state_and_latency() -> None:
    rounds(3, clock.now() - 3 * MINUTE, telegram=AWAY, uplink=None)
    numbers = told()
    assert numbers["service_up", "telegram"] == 0
    assert numbers["service_up", "redis"] == 1
    assert numbers["service_failures", "telegram"] == 3
    assert numbers["service_latency_seconds", "redis"] == 0.0125
    assert 60 <= numbers["service_check_age_seconds", "redis"] < 600
    assert ("service_up", "uplink") not in numbers


def test_rules_are_told_with_value_and_threshold_in_two_queries() -> None:
    anomalies_check()
    rule_change(name="queue_depth", by=None, threshold=7.0)
    with CaptureQueriesContext(connection) as asked:
        numbers = told()
    assert len(asked) == 2
    assert numbers["rule_threshold", "queue_depth"] == 7
    assert numbers["rule_value", "queue_depth"] == 0
    assert numbers["rule_condition", "queue_depth", "ok"] == 1
    assert ("rule_value", "error_rate") not in numbers  # too few runs


def test_before_the_first_check_only_thresholds_are_told() -> None:
    assert {name for name, *_ in told()} == {"rule_threshold"}
