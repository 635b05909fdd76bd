"""The webhook of Alertmanager: alerts of Prometheus become ours, by their fingerprint."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from jobs.models import AuditEntry
from monitoring.alerts import rules
from monitoring.alerts.models import Alert
from monitoring.checks.known import RULES as SERVICE_RULES
from monitoring.checks.rules.all import BY_NAME
from monitoring.checks.services import anomalies_check
from monitoring.nodes.telling import FLAPPING, SILENT
from monitoring.nodes.telling import OFFLINE as NODE_OFFLINE
from reports.retention.days import RULE as PARTITIONS
from tests.monitoring.alerts.rows import tell_run

URL = "/api/v1/alerts/alertmanager"


@pytest.fixture
def api(account: Callable[..., User]) -> APIClient:
    client = APIClient()
    client.force_authenticate(account("alertmanager", "alerts.send_alert"))
    return client


def foreign(status: str = "firing", **changes: Any) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "QueueOld", "severity": "critical", "rule": "queue_old"},
        "annotations": {
            "summary": "The oldest job waits for 12 minutes",
            "link": "https://console.example/admin/jobs/queue/?x=1",
        },
        "startsAt": "2026-01-02T10:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-01-02T11:00:00Z",
        "generatorURL": "https://prometheus.example/graph",
        "fingerprint": "5b2a1f0c9d8e7f66",
        **changes,
    }


def send(api: APIClient, *alerts: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(URL, {"version": "4", "alerts": list(alerts)}, format="json")
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_what_fires_is_raised_and_what_is_resolved_is_cleared(api: APIClient) -> None:
    assert send(api, foreign()) == {"raised": 1, "cleared": 0}
    alert = Alert.objects.get()
    assert (alert.rule, alert.key, alert.severity) == ("queue_old", "5b2a1f0c9d8e7f66", "critical")
    assert (alert.title, alert.link) == (
        "The oldest job waits for 12 minutes", "/admin/jobs/queue/?x=1",
    )  # fmt: skip
    assert (alert.source, alert.runbook) == ("alertmanager", "queue_old")
    assert "alertname: QueueOld" in alert.text
    assert alert.opened_at.isoformat() == "2026-01-02T10:00:00+00:00"
    assert send(api, foreign()) == {"raised": 1, "cleared": 0}
    assert send(api, foreign("resolved")) == {"raised": 0, "cleared": 1}
    alert.refresh_from_db()
    assert (alert.count, alert.resolved_at is not None) == (2, True)
    assert send(api, foreign("resolved")) == {"raised": 0, "cleared": 0}
    assert AuditEntry.objects.filter(action="alerts.receive").count() == 4


def test_alerts_of_one_rule_are_told_by_their_fingerprint(api: APIClient) -> None:
    send(api, *(foreign(fingerprint=f"{number:016x}") for number in range(5)))
    assert Alert.objects.count() == 5
    assert len(tell_run()) == 1


@pytest.mark.parametrize(
    ("severity", "ours"),
    [
        ("page", "critical"),
        ("warning", "warning"),
        ("info", "info"),
        ("odd", "warning"),
        ("", "warning"),
    ],
)
def test_their_severities_are_ours(api: APIClient, severity: str, ours: str) -> None:
    send(api, foreign(labels={"alertname": "X", "severity": severity}))
    alert = Alert.objects.get()
    assert (alert.severity, alert.rule) == (ours, "external")


@pytest.mark.parametrize(
    ("link", "ours"),
    [
        ("https://console.example/admin/a/", "/admin/a/"),
        ("/admin/a/?b=1", "/admin/a/?b=1"),
        ("https://evil.example/", ""),
        ("//evil.example/admin/", "/admin/"),
        ("javascript:alert(1)", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_a_link_leads_nowhere_but_into_the_console(api: APIClient, link: str, ours: str) -> None:
    send(api, foreign(annotations={"link": link}))
    alert = Alert.objects.get()
    assert (alert.link, alert.title) == (ours, "QueueOld")


@pytest.mark.parametrize(
    "alerts",
    [
        [{"status": "firing"}],
        [{"status": "odd", "fingerprint": "x"}],
        [{"status": "firing", "fingerprint": "x" * 101}],
        [{"status": "firing", "fingerprint": "x", "startsAt": "now"}],
        [{"status": "firing", "fingerprint": str(number)} for number in range(1001)],
        "none",
    ],
    ids=["no fingerprint", "status", "long", "time", "many", "no list"],
)
def test_what_is_no_delivery_is_refused(api: APIClient, alerts: Any) -> None:
    answer = api.post(URL, {"version": "4", "alerts": alerts}, format="json")
    assert answer.status_code == 422
    assert not Alert.objects.exists()


def test_an_alert_of_theirs_that_bears_the_name_of_ours_is_not_ended_by_ours(
    api: APIClient,
) -> None:
    theirs = {"alertname": "DiskFull", "severity": "critical", "rule": "disk_space"}
    send(api, foreign(labels=theirs))
    anomalies_check()
    alert = Alert.objects.get(key="5b2a1f0c9d8e7f66")
    assert (alert.rule, alert.runbook, alert.resolved_at) == ("external", "disk_space", None)
    assert send(api, foreign("resolved", labels=theirs)) == {"raised": 0, "cleared": 1}


def test_all_rules_that_rooms_end_by_themselves_are_known() -> None:
    ended = {*BY_NAME, *SERVICE_RULES, NODE_OFFLINE, FLAPPING, SILENT, PARTITIONS}
    assert sorted(ended - rules.OWN) == []
