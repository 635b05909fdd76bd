"""What Prometheus reads of services and rules, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from lib import clock
from monitoring.checks.models import RuleState, ServiceCheck
from monitoring.checks.models.service import ServiceState
from monitoring.checks.rules.all import RULES
from monitoring.checks.rules.judging import threshold_of


def collect() -> Iterator[Metric]:
    """All numbers. Two queries of a few rows. What is not configured or not measured is left out."""
    yield from _services()
    yield from _rules()


def _services() -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "service_up", "1 if the last look at a service succeeded", labels=["service"]
    )
    latency = GaugeMetricFamily(
        "service_latency_seconds", "How long the last look took", labels=["service"]
    )
    failures = GaugeMetricFamily(
        "service_failures", "Looks in a row that failed", labels=["service"]
    )
    age = GaugeMetricFamily(
        "service_check_age_seconds", "Since the last look at a service", labels=["service"]
    )
    now = clock.now()
    for row in ServiceCheck.objects.exclude(state=ServiceState.OFF).order_by("name"):
        up.add_metric([row.name], int(row.state == ServiceState.UP))
        failures.add_metric([row.name], row.failures)
        if row.latency_ms is not None:
            latency.add_metric([row.name], row.latency_ms / 1000)
        if row.checked_at is not None:
            age.add_metric([row.name], max(0.0, (now - row.checked_at).total_seconds()))
    yield from (up, latency, failures, age)


def _rules() -> Iterator[Metric]:
    values = GaugeMetricFamily("rule_value", "What was measured last", labels=["rule"])
    thresholds = GaugeMetricFamily("rule_threshold", "The threshold in force", labels=["rule"])
    conditions = GaugeMetricFamily(
        "rule_condition", "1 for the condition that a rule is in", labels=["rule", "condition"]
    )
    rows = {row.name: row for row in RuleState.objects.all()}
    for rule in RULES:
        row = rows.get(rule.name)
        thresholds.add_metric([rule.name], threshold_of(rule, row))
        if row is None:
            continue
        conditions.add_metric([rule.name, row.condition], 1)
        if row.value is not None:
            values.add_metric([rule.name], row.value)
    yield from (values, thresholds, conditions)
