"""Looks at the panel of the sandbox: states, history, alerts, and what no answer changes."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from jobs import breakers
from jobs.context import JobContext, enter
from jobs.outcomes import Done
from jobs.registry import kind_get
from jobs.testing import assert_enqueued, drain, job_perform, job_state, jobs_of
from lib import clock
from lib.ids import uuid7
from monitoring.alerts.models import Alert
from monitoring.alerts.services import alert_raise, alerts_open
from monitoring.dashboard.models import PlatformEvent
from monitoring.nodes import looking, tasks
from monitoring.nodes.models import Health, Node, NodeState
from subscriptions.panel import door
from subscriptions.panel.errors import PanelAway, PanelError
from tests.monitoring.nodes.conftest import Turn
from tests.monitoring.nodes.rows import (
    DE,
    FI,
    MINUTE,
    NL,
    healths,
    look,
    node,
    node_delete,
    node_make,
    opened,
    perform,
)
from tests.panels import SECRET
from tests.sandbox.remnawave.hand import PanelHand

SECONDS = timedelta(seconds=1)


def test_the_servers_of_the_panel_are_known_after_one_look(panel: PanelHand) -> None:
    found = look()
    assert found["seen"] == 3
    rows = {row.pk: row for row in Node.objects.all()}
    assert [rows[key].health for key in (NL, DE, FI)] == ["online", "warning", "maintenance"]
    nl = rows[NL]
    assert (nl.name, nl.country_code, nl.users_online, nl.cpus) == ("NL-Amsterdam-1", "NL", 187, 4)
    assert (nl.provider, nl.tags) == ("Example Hosting", ["EU", "PREMIUM"])
    assert nl.traffic_limit_bytes == 20 << 40
    assert [healths(key) for key in (NL, DE, FI)] == [["online"], ["warning"], ["maintenance"]]


def test_a_look_is_one_question_and_repeating_it_changes_no_state(panel: PanelHand) -> None:
    look()
    before = panel.stats()["by_call"]["nodes.list"]
    look(MINUTE)
    look(2 * MINUTE)
    assert panel.stats()["by_call"]["nodes.list"] - before == 2
    assert NodeState.objects.count() == 3
    assert node().checked_at > clock.now()


def test_a_server_that_is_lost_is_found_at_once_and_told_once(panel: PanelHand) -> None:
    look()
    panel.node(str(NL), state="down", message="connect ECONNREFUSED 198.51.100.1:2222")
    look(MINUTE)
    assert (node().health, healths()) == ("offline", ["online", "offline"])
    alert = Alert.objects.get(rule="node_offline", key=str(NL))
    assert (alert.severity, alert.title) == ("warning", "Server NL-Amsterdam-1 is offline")
    assert "ECONNREFUSED" in alert.text
    assert alert.link == f"/admin/nodes/node/{NL}/change/"
    assert (alert.parent_rule, alert.parent_key) == ("panel_unreachable", "remnawave")
    for minute in (3, 5, 7):
        look(minute * MINUTE)
    alert.refresh_from_db()
    assert (alert.count, Alert.objects.filter(key=str(NL)).count()) == (1, 1)


def test_a_recovery_resolves_the_alert_once_it_has_held(turn: Turn) -> None:
    look()
    turn("down", MINUTE)
    turn("up", 2 * MINUTE)
    assert (node().health, opened()) == ("offline", ["node_offline"])
    follow_up = jobs_of("monitoring.check_nodes")[-1]
    assert follow_up.run_at > clock.now()  # the look that lets it count is ordered already
    look(2 * MINUTE + 30 * SECONDS)
    assert (node().health, opened()) == ("online", [])
    assert healths() == ["online", "offline", "online"]
    ended = NodeState.objects.filter(node=NL, ended_at=None).get()
    assert ended.began_at == node().health_since


def test_flapping_is_one_alert(turn: Turn, settings: Settings) -> None:
    look()
    moment = MINUTE
    for _ in range(8):
        for state in ("down", "up"):
            turn(state, moment)
            moment += 10 * SECONDS
    assert opened() == ["node_flapping"]
    told = Alert.objects.filter(key=str(NL))
    assert told.filter(rule="node_flapping").count() == 1
    assert told.filter(rule="node_offline").count() == 1  # of the first loss, resolved by now
    assert node().flapping_since is not None
    look(moment + settings.NODE_FLAP_CALM)
    assert (node().health, opened(), node().flapping_since) == ("online", [], None)


def test_what_flaps_and_stays_down_is_an_outage(turn: Turn, settings: Settings) -> None:
    look()
    moment = MINUTE
    for state in ("down", "up", "down", "up", "down"):
        turn(state, moment)
        moment += 10 * SECONDS
    assert opened() == ["node_flapping"]
    look(moment + settings.NODE_FLAP_CALM)
    assert (node().health, opened()) == ("offline", ["node_offline"])
    assert healths() == ["online", "offline", "warning", "offline"]


def test_a_disabled_server_has_no_alert(panel: PanelHand) -> None:
    look()
    panel.node(str(NL), state="down")
    look(MINUTE)
    panel.node(str(NL), state="disabled")
    look(2 * MINUTE)
    assert (node().health, opened()) == ("maintenance", [])
    assert PlatformEvent.objects.filter(kind="node_maintenance").count() == 1


def test_connecting_is_told_when_it_lasts(panel: PanelHand) -> None:
    look()
    assert opened(DE) == []
    look(2 * MINUTE)
    assert opened(DE) == ["node_offline"]
    assert alerts_open("node_offline").get(key=str(DE)).title.endswith("does not get connected")


def test_a_server_that_is_listed_no_longer_is_kept_with_its_history(panel: PanelHand) -> None:
    look()
    panel.node(str(NL), state="down")
    look(MINUTE)
    node_delete(NL)
    look(2 * MINUTE)
    row = node()
    assert row.removed_at is not None
    assert (opened(), healths()) == ([], ["online", "offline"])
    assert not NodeState.objects.filter(node=NL, ended_at=None).exists()
    assert PlatformEvent.objects.filter(kind="node_removed").count() == 1
    look(3 * MINUTE)
    assert node().removed_at == row.removed_at


def test_a_panel_that_has_lost_its_servers_is_no_quiet_night(panel: PanelHand) -> None:
    look()
    node_delete(NL)
    look(MINUTE)
    assert not alerts_open("attention").exists()  # two are left: somebody has deleted one
    for each in (DE, FI):
        node_delete(each)
    look(2 * MINUTE)
    alert = alerts_open("attention").get()
    assert (alert.key, alert.severity) == ("nodes:gone", "critical")
    assert alert.text.startswith("1 are gone at once, 0 are left: DE-Frankfurt-1.")
    look(3 * MINUTE)
    alert.refresh_from_db()
    assert alert.count == 1  # told once, not at each look


def test_a_server_that_comes_back_goes_on(panel: PanelHand) -> None:
    gone = node_make(uuid=NL, removed_at=clock.now(), health="offline")
    NodeState.objects.filter(node=gone).update(ended_at=clock.now())
    look(MINUTE)
    assert (node().removed_at, node().health) == (None, "online")
    assert healths() == ["offline", "online"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "html_502"},
        {"kind": "cut_before"},
        {"kind": "cut_after"},
    ],
    ids=lambda fault: str(fault.get("status", fault["kind"])),
)
def test_no_answer_changes_no_server(panel: PanelHand, fault: dict[str, Any]) -> None:
    look()
    panel.node(str(NL), state="down")
    before = list(Node.objects.order_by("pk").values())
    panel.fault(method="nodes.list", times=10, **fault)
    with pytest.raises(PanelError):
        job_perform("monitoring.check_nodes")
    assert list(Node.objects.order_by("pk").values()) == before
    assert Alert.objects.count() == 0


def test_a_panel_that_keeps_silent_changes_no_server(panel: PanelHand, settings: Settings) -> None:
    look()
    settings.PANEL_TIMEOUT = timedelta(seconds=1)
    door.clients_forget()
    panel.fault(method="nodes.list", kind="latency", latency_ms=3000, times=1)
    with pytest.raises(PanelAway):
        job_perform("monitoring.check_nodes")
    assert node().health == "online"


def test_a_look_that_fails_is_skipped_after_its_tries(panel: PanelHand) -> None:
    """Two more tries, then the next slot: no dead letter each two minutes while the panel is away."""
    panel.fault(method="nodes.list", kind="status", status=503, times=10)
    kind = kind_get("monitoring.check_nodes")
    assert [each.total_seconds() for each in kind.retry.steps] == [15, 15]
    enter(JobContext(uuid7(), kind.name, kind.retry.attempts, kind.retry.attempts, 1))
    try:
        assert kind.function() == {"away": tasks.AWAY}
    finally:
        enter(None)


def test_an_open_breaker_puts_the_look_off(panel: PanelHand) -> None:
    for _ in range(breakers.THRESHOLD):
        breakers.record_failure("remnawave", "503")
    made = tasks.check_nodes.enqueue()
    drain()
    assert job_state(made.id) == "scheduled"
    assert not Node.objects.exists()


def test_without_a_panel_nothing_is_asked(settings: Settings) -> None:
    settings.REMNAWAVE_URL = ""
    for kind in ("check_nodes", "collect_bandwidth", "sync_node_configs"):
        assert perform(f"monitoring.{kind}") == tasks.OFF


def test_an_alert_behind_an_open_one_of_the_panel_is_hidden(panel: PanelHand) -> None:
    look()
    alert_raise(
        rule="panel_unreachable", key="remnawave", severity="critical", title="The panel is away"
    )
    panel.node(str(NL), state="down")
    look(MINUTE)
    assert alerts_open("node_offline").get(key=str(NL)).parent is not None


def test_an_older_answer_never_writes_over_a_newer_one(panel: PanelHand) -> None:
    client, early = door.panel(), clock.now()
    old = client.nodes()
    panel.node(str(NL), state="down")
    looking.look_apply(client.nodes(), early + MINUTE)
    assert looking.look_apply(old, early).is_stale
    assert node().health == "offline"


def test_the_number_of_queries_does_not_depend_on_the_number_of_servers(panel: PanelHand) -> None:
    def queries(after: timedelta) -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            looking.look_apply(told, clock.now() + after)
        return len(found)

    told = door.panel().nodes()
    looking.look_apply(told, clock.now())
    looking.look_apply(told, clock.now() + 2 * MINUTE)
    few = queries(3 * MINUTE)
    panel.add_nodes(60)
    told = door.panel().nodes()
    looking.look_apply(told, clock.now() + 4 * MINUTE)
    assert len(told) == 63
    assert queries(5 * MINUTE) == few <= 10


def test_many_servers_that_are_lost_at_once_are_one_look(panel: PanelHand) -> None:
    panel.add_nodes(40)
    look()
    for each in panel.nodes():
        panel.node(each["uuid"], state="down")
    look(MINUTE)
    assert Node.objects.filter(health=Health.OFFLINE).count() == 43
    assert alerts_open("node_offline").count() == 43


def webhook(event: str, uuid: str) -> bytes:
    told = {"scope": "node", "event": event, "timestamp": "2026-11-22T12:00:00.000Z"}
    return json.dumps({**told, "data": {"uuid": uuid}, "meta": None}).encode()


def deliver(body: bytes) -> int:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    answer = Client().post(
        "/webhooks/remnawave/",
        data=body,
        content_type="application/json",
        headers={"X-Remnawave-Signature": signature, "User-Agent": "Remnawave"},
    )
    return answer.status_code


def test_what_the_panel_tells_of_a_server_is_looked_at_in_seconds(panel: PanelHand) -> None:
    look()
    panel.node(str(NL), state="down")
    assert deliver(webhook("node.connection_lost", str(NL))) == 200
    drain()
    waiting = assert_enqueued("monitoring.check_nodes")
    assert waiting.run_at <= clock.now() + 3 * SECONDS
    with clock.shift(3 * SECONDS):
        drain()
    assert (node().health, opened()) == ("offline", ["node_offline"])


def test_many_webhooks_at_once_are_one_look(panel: PanelHand) -> None:
    look()
    for number in range(20):
        assert deliver(webhook("node.connection_lost", f"{NL}"[:-2] + f"{number:02}")) == 200
    drain()
    assert_enqueued("monitoring.check_nodes", times=1)


def test_a_webhook_that_lies_is_not_believed(panel: PanelHand) -> None:
    look()
    deliver(webhook("node.connection_lost", str(NL)))
    with clock.shift(5 * SECONDS):
        drain()
    assert (node().health, opened()) == ("online", [])


def test_the_result_of_a_look_says_what_changed(panel: PanelHand) -> None:
    look()
    panel.node(str(NL), state="down")
    outcome = job_perform("monitoring.check_nodes")
    assert isinstance(outcome, Done)
    assert outcome.result["turned"] == {"NL-Amsterdam-1": "offline"}
