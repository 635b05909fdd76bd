"""What is forgotten after a year, what Prometheus reads, and what the first page shows."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from lib.now import gather
from monitoring.alerts import metrics
from monitoring.alerts.acting import alert_acknowledge
from monitoring.alerts.models import Alert, AlertEvent, Silence, Telling
from monitoring.alerts.services import alert_clear
from monitoring.alerts.silences import alert_silence
from tests.monitoring.alerts.rows import fresh, raised, tell_run

YEAR = timedelta(days=366)


def test_what_was_resolved_long_ago_is_forgotten() -> None:
    old, still_open = raised("old"), raised("open")
    child = raised("child", parent=("node_offline", "old"))
    alert_silence(alert_id=still_open.pk, until=clock.now() + timedelta(hours=1), by=None)
    tell_run()
    alert_clear(rule="node_offline", key="old")
    assert job_perform("alerts.clean") == Done({"alerts": 0, "silences": 0, "tellings": 0})
    with clock.shift(YEAR):
        assert job_perform("alerts.clean", dry_run=True) == Done(
            {"alerts": 1, "silences": 1, "tellings": 1}
        )
        assert Alert.objects.count() == 3
        assert job_perform("alerts.clean") == Done({"alerts": 1, "silences": 1, "tellings": 1})
        assert job_perform("alerts.clean") == Done({"alerts": 0, "silences": 0, "tellings": 0})
    assert not Alert.objects.filter(pk=old.pk).exists()
    assert not AlertEvent.objects.filter(alert_id=old.pk).exists()
    assert fresh(child).parent is None
    assert not Silence.objects.exists()
    assert not Telling.objects.exists()


def test_how_long_alerts_are_kept_is_a_setting(settings: Settings) -> None:
    settings.ALERT_RETENTION_DAYS = 7
    raised()
    alert_clear(rule="node_offline", key="fra-1")
    with clock.shift(timedelta(days=8)):
        job_perform("alerts.clean")
    assert not Alert.objects.exists()


def numbers() -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }


def test_the_numbers_are_there() -> None:
    assert numbers() == {("alerts_untold",): 0}
    raised("a")
    raised("b")
    raised("c", rule="queue_depth", severity="warning")
    found = numbers()
    assert found["alerts_open", "critical", "node_offline"] == 2
    assert found["alerts_open", "warning", "queue_depth"] == 1
    assert found[("alerts_untold",)] == 3
    tell_run()
    with clock.shift(timedelta(minutes=1)):
        found = numbers()
    assert found[("alerts_untold",)] == 0
    assert 30 < found["alert_tell_seconds", "0.5"] < 60
    assert found["alert_tell_seconds", "1"] >= found["alert_tell_seconds", "0.5"]


def cards(user: User) -> list[tuple[str, int]]:
    return [
        (card.title, card.count)
        for card in gather(user)
        if card.url.startswith("/admin/alerts/") and card.severity == 3
    ]


def test_critical_alerts_stand_on_the_first_page_until_somebody_has_them(
    admin_user: User,
) -> None:
    alert = raised("a")
    raised("b", severity="warning")
    assert cards(admin_user) == [("Server a is offline", 1)]
    alert_acknowledge(alert_id=alert.pk, by=None)
    assert cards(admin_user) == []
    for number in range(7):
        raised(f"node-{number}")
    assert cards(admin_user) == [("critical alerts that nobody has taken", 7)]


@pytest.mark.parametrize("kind", ["alerts.tell", "alerts.escalate", "alerts.clean"])
def test_every_job_runs_with_nothing_to_do(kind: str) -> None:
    assert isinstance(job_perform(kind), Done)
