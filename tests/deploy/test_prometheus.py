"""Rules, alerts and routes, as promtool and amtool read them."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.runbook import sections
from tests.deploy.programs import ROOT, asked

pytestmark = pytest.mark.process

PLACE = ROOT / "deploy" / "prometheus"
ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
RULES = sorted((PLACE / "rules").glob("*.yml"))
TESTS = sorted((PLACE / "tests").glob("*.yml"))
SEVERITIES = {"critical", "warning", "none"}
CONSOLE = "{{ $externalLabels.console }}/admin/"
# The table "Tracking Events" of the task worker that this site replaced.
NAMES = {
    "taskiq_task_total": {"task_name", "status"},
    "taskiq_task_duration_seconds_bucket": {"task_name", "le"},
    "taskiq_task_duration_seconds_sum": {"task_name"},
    "taskiq_task_duration_seconds_count": {"task_name"},
    "taskiq_task_errors_total": {"task_name", "error_type"},
    "taskiq_task_retries_total": {"task_name"},
    "cybervpn_notifications_total": {"type", "status"},
    "cybervpn_server_health": {"node_uuid", "status"},
    "cybervpn_payments_verified_total": {"status"},
    "taskiq_queue_depth": {"queue_name"},
}


def rules() -> list[dict[str, Any]]:
    """Every rule of every group."""
    return [
        rule
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}


def verdicts() -> dict[str, set[str]]:
    """alert -> of its tests: "fires", "quiet"."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for each in test["promql_expr_test"]:
                for name in re.findall(r'alertname="(\w+)"', each["expr"]):
                    found[name].add("fires" if each["exp_samples"] else "quiet")
    return found


def routed(**labels: str) -> list[str]:
    """The receivers of an alert with these labels, as amtool finds them."""
    status, said = asked(
        "prometheus-alertmanager", "amtool", "config", "routes", "test",
        f"--config.file={ALERTMANAGER}", *(f"{name}={value}" for name, value in labels.items()),
    )  # fmt: skip
    assert status == 0, said
    return said.split("\n", 1)[0].split(",")  # then it warns of what it was not asked


def labels_of(name: str) -> dict[str, str]:
    return {"alertname": name, **ALERTS[name]["labels"]}


def test_the_rules_are_accepted() -> None:
    status, said = asked("prometheus", "promtool", "check", "rules", *RULES)
    assert status == 0, said
    assert "FAILED" not in said


def test_the_configuration_is_accepted() -> None:
    path = PLACE / "prometheus.yml"
    status, said = asked("prometheus", "promtool", "check", "config", path)
    assert status == 0, said
    assert f"{len(RULES)} rule files found" in said


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_alerts_and_names_do_what_their_tests_say(path: Path) -> None:
    status, said = asked("prometheus", "promtool", "test", "rules", path)
    assert status == 0, said


def test_every_alert_is_tested_both_ways() -> None:
    found = verdicts()
    always = {"Watching"}
    assert {name for name in ALERTS if "fires" not in found[name]} == set()
    assert {name for name in ALERTS if "quiet" not in found[name]} == always


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_an_alert_says_how_bad_it_is_and_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in SEVERITIES
    anchor = alert["labels"]["rule"]
    assert anchor in sections()
    notes = alert["annotations"]
    assert notes["runbook_url"] == f"{CONSOLE}runbook/{anchor}/"
    assert notes["summary"]
    assert notes.get("link", CONSOLE).startswith(CONSOLE)
    assert not {"inside", "outside"} <= set(alert["labels"]), "either we tell it, or we cannot"


def test_the_names_of_the_former_worker_are_recorded() -> None:
    assert {rule["record"] for rule in rules() if "record" in rule} >= set(NAMES)


def test_the_routes_are_accepted() -> None:
    status, said = asked("prometheus-alertmanager", "amtool", "check-config", ALERTMANAGER)
    assert status == 0, said


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_every_alert_reaches_whom_it_should(name: str) -> None:
    labels = labels_of(name)
    found = routed(**labels)
    if name == "Watching":
        assert found == ["heartbeat"]
    elif "inside" in labels:
        assert found == ["shown"]
    elif labels["severity"] == "critical":
        assert found == ["fallback", "switchboard"]
    else:
        assert found == ["switchboard"]


def test_the_fallback_does_not_go_through_us() -> None:
    receivers = {
        each["name"]: each for each in yaml.safe_load(ALERTMANAGER.read_text())["receivers"]
    }
    assert set(receivers["fallback"]) == {"name", "email_configs"}
    (hook,) = receivers["switchboard"]["webhook_configs"]
    assert hook["url"].endswith("/api/v1/alerts/alertmanager")
    assert hook["send_resolved"] is True


def test_what_silences_others_and_what_is_silenced_are_alerts_of_ours() -> None:
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, pattern = re.split(r"=~?", matcher, maxsplit=1)
            if label == "alertname":
                wanted = re.compile(pattern.strip('"'))
                assert any(wanted.fullmatch(name) for name in ALERTS), matcher


def test_no_secret_stands_in_the_configuration() -> None:
    text = ALERTMANAGER.read_text()
    assert not re.search(r"^\s*(smtp_auth_password|credentials|bearer_token|password):", text, re.M)
