"""Servers over REST, for Prometheus, and on the first page of the console."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from lib import clock
from lib.now import gather
from monitoring.nodes import metrics
from monitoring.nodes.models import Node
from tests.monitoring.nodes.rows import HOUR, NL, node_make

Account = Callable[..., User]


@pytest.fixture
def api(account: Account) -> APIClient:
    client = APIClient()
    client.force_authenticate(account("machine", "nodes.view_node"))
    return client


def test_servers_are_read_by_rest(full: Node, api: APIClient) -> None:
    node_make(2, name="Gone", removed_at=clock.now())
    (item,) = api.get("/api/v1/nodes").json()["items"]
    assert (item["uuid"], item["health"], item["users_online"]) == (str(full.pk), "online", 50)
    gone = api.get("/api/v1/nodes?state=gone").json()["items"]
    assert [each["name"] for each in gone] == ["Gone"]
    one = api.get(f"/api/v1/nodes/{full.pk}").json()
    assert 0 < one["uptime_7d"] < 1
    assert one["config"]["tags"] == ["EU"]
    assert one["incidents"][0]["health"] == "offline"


def test_the_list_by_rest_has_pages(api: APIClient) -> None:
    for number in range(1, 6):
        node_make(number)
    found: list[str] = []
    cursor = ""
    while True:
        page = api.get("/api/v1/nodes", {"limit": "2", "cursor": cursor}).json()
        found += [each["name"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert found == [f"NL-{number}" for number in range(1, 6)]


def test_traffic_is_read_by_rest(full: Node, api: APIClient) -> None:
    path = f"/api/v1/nodes/{full.pk}/bandwidth"
    hours = api.get(path).json()
    assert hours["step"] == "hour"
    assert hours["items"][-1]["bytes"] == 300_000 * 12
    raw = api.get(path, {"step": "raw"}).json()["items"]
    assert raw[-1]["rate_avg"] == 1000
    assert raw[-1]["users"] == 39


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("?state=odd", 422, "invalid"),
        ("?limit=0", 422, "invalid"),
        (f"/{NL}", 404, "node_unknown"),
        (f"/{NL}/bandwidth", 404, "node_unknown"),
        (f"/{NL}/bandwidth?step=day", 422, "invalid"),
        (f"/{NL}/bandwidth?since=2026-01-01T00:00:00Z", 422, "invalid"),
        (f"/{NL}/bandwidth?since=soon", 422, "invalid"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    api: APIClient, path: str, status: int, code: str
) -> None:
    answer = api.get(f"/api/v1/nodes{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_strangers_read_nothing(full: Node, account: Account) -> None:
    client = APIClient()
    assert client.get("/api/v1/nodes").status_code == 401
    client.force_authenticate(account("other"))
    for path in ("", f"/{full.pk}", f"/{full.pk}/bandwidth"):
        assert client.get(f"/api/v1/nodes{path}").status_code == 403, path


def numbers() -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *list(sample.labels.values())[1:]): sample.value
        for metric in metrics.collect()
        for sample in metric.samples
    }


def test_prometheus_reads_health_people_and_traffic(full: Node) -> None:
    Node.objects.update(traffic_used_bytes=77)
    found, name = numbers(), ("NL-Amsterdam-1", "NL")
    assert found[("node_health", *name, "online")] == 1
    assert found[("node_health", *name, "offline")] == 0
    assert found[("node_users_online", *name)] == 50
    assert found[("node_traffic_bytes_per_second", *name)] == 1000
    assert found[("node_traffic_bytes_total", *name)] == 77
    assert found[("nodes_look_age_seconds",)] >= 0


def test_without_servers_there_are_no_numbers(db: None) -> None:
    assert numbers() == {}


def test_what_needs_a_person_is_on_the_first_page(
    full: Node, operator: Client, settings: Settings
) -> None:
    def titles() -> list[str]:
        return [each.title for each in gather(User.objects.get(username="olga"))]

    assert "server is silent" in titles()
    node_make(2, health="offline")
    node_make(3, health="warning")
    assert "servers do not serve" in titles()
    settings.REMNAWAVE_URL = "https://panel.example.com"
    Node.objects.update(checked_at=clock.now() - HOUR)
    assert "view of the servers that is old" in titles()
