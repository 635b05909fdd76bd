"""The jobs: as a worker runs them."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from jobs.ladders import HEALTH
from jobs.models import Job
from jobs.outcomes import Done
from jobs.registry import kind_get
from jobs.testing import job_perform
from lib import clock
from monitoring.alerts.models import Alert
from monitoring.alerts.services import alert_raise
from monitoring.checks.models import RuleSample, RuleState, ServiceCheck, ServiceSample
from monitoring.checks.rules.all import RULES
from monitoring.nodes.models import Node
from tests.monitoring.checks.test_measures import node
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.usefixtures("calm")


def test_a_service_that_goes_away_and_comes_back_is_told_once_each(outside: Sandbox) -> None:
    outside.fault(service="telegram", kind="cut_before")
    for number in range(4):
        with clock.shift(timedelta(minutes=number)):
            job_perform("monitoring.check_services")
    alert = Alert.objects.get()
    assert (alert.rule, alert.key, alert.count) == ("service_down", "telegram", 2)
    outside.clear_faults()
    with clock.shift(timedelta(minutes=4)):
        done = job_perform("monitoring.check_services")
    assert isinstance(done, Done)
    assert done.result["telegram"] == "up"
    alert.refresh_from_db()
    assert alert.resolved_at is not None
    assert ServiceSample.objects.filter(service="telegram").count() == 5


def test_with_redis_away_services_and_rules_are_looked_at_all_the_same(
    outside: Sandbox, redis_away: None
) -> None:
    job_perform("monitoring.check_services")
    assert ServiceCheck.objects.get(pk="redis").state == "failing"
    done = job_perform("monitoring.check_anomalies")
    assert isinstance(done, Done)
    assert RuleState.objects.get(pk="redis_memory").condition == "unknown"
    assert not Alert.objects.exists()


def test_every_rule_is_measured_each_minute() -> None:
    assert job_perform("monitoring.check_anomalies") == Done(
        {"raised": [], "held_back": [], "cleared": 0}
    )
    assert RuleState.objects.exclude(measured_at=None).count() == len(RULES)
    assert RuleSample.objects.filter(rule="disk_space").count() == 1


def test_a_backlog_is_told_until_it_is_worked_off(settings: Settings) -> None:
    settings.RULE_QUEUE_DEPTH = 2
    noop = kind_get("jobs.noop")
    made = [noop.enqueue(unique=("test", number)) for number in range(3)]
    job_perform("monitoring.check_anomalies")
    alert = Alert.objects.get()
    assert (alert.rule, alert.key, alert.severity) == ("queue_depth", "default", "warning")
    Job.objects.filter(pk__in=[each.id for each in made]).delete()
    with clock.shift(timedelta(minutes=1)):
        job_perform("monitoring.check_anomalies")
    alert.refresh_from_db()
    assert alert.resolved_at is not None


def test_a_server_that_is_offline_for_more_than_five_minutes_is_critical(
    settings: Settings,
) -> None:
    settings.REMNAWAVE_URL = "https://panel.example"
    made = node("fra-1", health="offline", since=timedelta(minutes=4))
    key = str(made)
    alert_raise(rule="node_offline", key=key, severity="warning", title="Server fra-1 is offline")
    job_perform("monitoring.check_anomalies")
    assert Alert.objects.get().severity == "warning"
    Node.objects.update(health_since=clock.now() - timedelta(minutes=6))
    with clock.shift(timedelta(minutes=1)):
        job_perform("monitoring.check_anomalies")
    alert = Alert.objects.get()
    assert (alert.severity, alert.source) == ("critical", "monitoring.check_nodes")
    assert alert.parent_rule == "panel_unreachable"


def test_old_outages_are_forgotten_by_a_job() -> None:
    assert job_perform("monitoring.forget_outages") == Done(0)


@pytest.mark.parametrize("name", ["monitoring.check_services", "monitoring.check_anomalies"])
def test_the_ladder_of_checks_is_two_tries_after_15_seconds(name: str) -> None:
    kind = kind_get(name)
    assert kind.retry == HEALTH
    assert kind.single
    assert kind.periodic is not None
    assert kind.periodic.every == timedelta(minutes=1)
    assert kind.periodic.immediate
