"""Services and rules over REST."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from lib import clock
from monitoring.checks.models import RuleState, ServiceOutage
from monitoring.checks.services import anomalies_check
from tests.monitoring.checks.conftest import AWAY, MINUTE, record, rounds

pytestmark = pytest.mark.usefixtures("calm")

Caller = Callable[..., Client]
BOTH = ("checks.view_servicecheck", "checks.view_rulestate")


@pytest.fixture
def caller(account: Callable[..., User]) -> Caller:
    def make(*permissions: str) -> Client:
        client = Client(enforce_csrf_checks=False)
        client.force_login(account("machine", *permissions))
        return client

    return make


def test_services_are_listed_with_their_uptime(caller: Caller) -> None:
    rounds(5, clock.now() - 5 * MINUTE, telegram=AWAY)
    api = caller(*BOTH)
    with CaptureQueriesContext(connection) as asked:
        answer = api.get("/api/v1/services")
    assert len(asked) <= 8  # the session, permissions, and three of ours
    items = {item["name"]: item for item in answer.json()["items"]}
    assert set(items) == {"uplink", "postgres", "redis", "remnawave", "telegram", "cryptobot"}
    telegram = items["telegram"]
    assert (telegram["state"], telegram["failures"]) == ("down", 5)
    assert telegram["uptime"]["day"] == 0
    assert items["redis"]["uptime"] == {"day": 100, "week": 100, "month": 100}
    assert api.get("/api/v1/services/telegram").json()["error"] == "connection refused"


def test_before_the_first_check_nothing_is_known(caller: Caller) -> None:
    items = caller(*BOTH).get("/api/v1/services").json()["items"]
    assert {item["state"] for item in items} == {"unknown"}
    assert items[0]["uptime"] == {"day": None, "week": None, "month": None}


def test_outages_come_by_pages_newest_first(caller: Caller) -> None:
    record(clock.now())
    for number in range(5):
        began = clock.now() - MINUTE * (60 - number)
        ServiceOutage.objects.create(
            service_id="redis",
            kind="down" if number else "unwatched",
            began_at=began,
            ended_at=began,
        )
    api = caller(*BOTH)
    first = api.get("/api/v1/services/redis/outages?limit=3").json()
    rest = api.get(f"/api/v1/services/redis/outages?limit=3&cursor={first['next_cursor']}").json()
    seen = [item["id"] for item in first["items"] + rest["items"]]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
    assert rest["next_cursor"] is None
    only = api.get("/api/v1/services/redis/outages?kind=unwatched").json()["items"]
    assert [item["kind"] for item in only] == ["unwatched"]


@pytest.mark.parametrize("query", ["kind=odd", "limit=0", "limit=501", "limit=x", "cursor=x"])
def test_parameters_that_cannot_be_are_refused(caller: Caller, query: str) -> None:
    answer = caller(*BOTH).get(f"/api/v1/services/redis/outages?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/services/none", "service_unknown"),
        ("/api/v1/services/none/outages", "service_unknown"),
        ("/api/v1/rules/none", "rule_unknown"),
    ],
)
def test_what_is_not_there_is_404(caller: Caller, path: str, code: str) -> None:
    answer = caller(*BOTH).get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_a_check_is_asked_for_with_a_permission_of_its_own(caller: Caller) -> None:
    assert caller(*BOTH).post("/api/v1/services/check").status_code == 403
    User.objects.all().delete()
    answer = caller("checks.operate_servicecheck").post("/api/v1/services/check")
    assert answer.status_code == 202
    assert str(assert_enqueued("monitoring.check_services").pk) == answer.json()["job_id"]


def test_rules_are_listed_with_values_beside_thresholds(caller: Caller) -> None:
    anomalies_check()
    api = caller(*BOTH)
    with CaptureQueriesContext(connection) as asked:
        items = api.get("/api/v1/rules").json()["items"]
    assert len(asked) <= 8
    disk = next(item for item in items if item["name"] == "disk_space")
    assert (disk["unit"], disk["threshold"], disk["is_low_bad"]) == ("percent", 10, True)
    assert disk["value"] is not None
    assert disk["runbook"] == "/admin/runbook/disk_space/"
    idle = api.get("/api/v1/rules?condition=idle").json()["items"]
    assert {item["condition"] for item in idle} == {"idle"}
    assert api.get("/api/v1/rules?condition=odd").status_code == 422


def test_a_rule_is_changed_and_the_change_audited(caller: Caller) -> None:
    api = caller("checks.view_rulestate", "checks.operate_rulestate")
    answer = api.patch(
        "/api/v1/rules/queue_depth",
        {"threshold": 2000, "cooldown_s": 60},
        content_type="application/json",
    )
    assert answer.status_code == 200
    body = answer.json()
    assert (body["threshold"], body["threshold_default"], body["cooldown_s"]) == (2000, 500, 60)
    back = api.patch(
        "/api/v1/rules/queue_depth", {"threshold": None}, content_type="application/json"
    )
    assert back.json()["threshold"] == 500
    assert AuditEntry.objects.filter(action="rules.change").count() == 2


@pytest.mark.parametrize(
    "body",
    [
        {"threshold": -1},
        {"threshold": "many"},
        {"cooldown_s": -1},
        {"thresh": 5},
        {"is_on": "what"},
    ],
)
def test_a_change_that_cannot_be_is_refused(caller: Caller, body: dict[str, object]) -> None:
    api = caller("checks.view_rulestate", "checks.operate_rulestate")
    answer = api.patch("/api/v1/rules/queue_depth", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert not RuleState.objects.exclude(threshold=None).exists()


def test_who_only_looks_changes_nothing_and_strangers_do_not_look(caller: Caller) -> None:
    api = caller(*BOTH)
    answer = api.patch(
        "/api/v1/rules/queue_depth", {"is_on": False}, content_type="application/json"
    )
    assert answer.status_code == 403
    assert Client().get("/api/v1/rules").status_code == 401
    assert Client().get("/api/v1/services").status_code == 401
