"""Alerts over REST."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from lib import clock
from lib.ids import uuid7
from monitoring.alerts.acting import alert_acknowledge, alert_resolve
from monitoring.alerts.models import Alert
from tests.monitoring.alerts.rows import fresh, raised

BASE = "/api/v1/alerts"


@pytest.fixture
def olga(account: Callable[..., User]) -> User:
    return account("olga", "alerts.view_alert", "alerts.operate_alert", is_staff=True)


@pytest.fixture
def api(olga: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(olga)
    return client


def keys(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [each["key"] for each in answer.json()["items"]]


def test_open_alerts_are_listed_newest_first_page_by_page(api: APIClient) -> None:
    for key in ("a", "b", "c"):
        raised(key)
    alert_resolve(alert_id=raised("d").pk, by=None)
    first = api.get(f"{BASE}?limit=2")
    assert keys(first) == ["c", "b"]
    second = api.get(f"{BASE}?limit=2&cursor={first.json()['next_cursor']}")
    assert keys(second) == ["a"]
    assert second.json()["next_cursor"] is None
    assert keys(api.get(f"{BASE}?state=all")) == ["d", "c", "b", "a"]
    assert keys(api.get(f"{BASE}?state=resolved")) == ["d"]


def test_a_list_is_filtered(api: APIClient, olga: User) -> None:
    raised("a", severity="warning")
    raised("b", rule="queue_depth", title="The queue is long")
    taken = raised("c")
    alert_acknowledge(alert_id=taken.pk, by=olga)
    Alert.objects.filter(pk=taken.pk).update(assigned_to=olga)
    assert keys(api.get(f"{BASE}?severity=warning")) == ["a"]
    assert keys(api.get(f"{BASE}?rule=queue_depth")) == ["b"]
    assert keys(api.get(f"{BASE}?words=QUEUE")) == ["b"]
    assert keys(api.get(f"{BASE}?assigned_to=olga")) == ["c"]
    assert keys(api.get(f"{BASE}?state=untaken")) == ["b", "a"]
    assert keys(api.get(f"{BASE}?state=acknowledged&key=c")) == ["c"]
    later = (clock.now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert keys(api.get(f"{BASE}?opened_from={later}")) == []


def test_a_list_costs_the_same_however_long_it_is(
    api: APIClient, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        raised(f"node-{number}", parent=("panel_unreachable", "x"))
    with django_assert_max_num_queries(4):
        assert len(keys(api.get(BASE))) == 20


@pytest.mark.parametrize(
    "query", ["state=strange", "severity=fatal", "limit=0", "cursor=x", "rule=%00", "opened_to=now"]
)
def test_a_filter_that_cannot_be_meant_is_refused(api: APIClient, query: str) -> None:
    answer = api.get(f"{BASE}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_one_is_shown_with_its_story(api: APIClient) -> None:
    alert = raised(text="No answer.", link="/admin/x/")
    found = api.get(f"{BASE}/{alert.pk}").json()
    assert (found["title"], found["state"], found["count"]) == (alert.title, "open", 1)
    assert found["page"] == f"/admin/alerts/alert/{alert.pk}/change/"
    assert [line["sentence"] for line in found["story"]] == ["Opened, critical"]
    assert api.get(f"{BASE}/{uuid7()}").status_code == 404


def test_people_act(api: APIClient) -> None:
    alert = raised()
    act = f"{BASE}/{alert.pk}/actions"
    assert api.post(f"{act}/acknowledge").json()["state"] == "acknowledged"
    until = (clock.now() + timedelta(hours=1)).isoformat()
    assert api.post(f"{act}/silence", {"until": until}, format="json").json()["state"] == "silenced"
    found = api.post(f"{act}/assign", {"to": "olga"}, format="json").json()
    assert found["assigned_to"] == "olga"
    assert api.post(f"{act}/assign", {"to": None}, format="json").json()["assigned_to"] is None
    found = api.post(f"{act}/resolve", {"note": "a cable"}, format="json").json()
    assert (found["state"], found["resolved_by"], found["note"]) == ("resolved", "olga", "a cable")
    again = api.post(f"{act}/acknowledge")
    assert (again.status_code, again.json()["code"]) == (409, "alert_resolved")


@pytest.mark.parametrize(
    ("act", "given", "status"),
    [
        ("silence", {"until": "2020-01-01T00:00:00Z"}, 422),
        ("silence", {}, 422),
        ("assign", {"to": "nobody-of-that-name"}, 422),
        ("assign", {"to": "eve"}, 409),
    ],
)
def test_what_cannot_be_done_is_refused(
    api: APIClient, account: Callable[..., User], act: str, given: dict[str, Any], status: int
) -> None:
    account("eve")
    alert = raised()
    answer = api.post(f"{BASE}/{alert.pk}/actions/{act}", given, format="json")
    assert answer.status_code == status, answer.json()
    assert fresh(alert).silenced_until is None


@pytest.mark.parametrize("who", ["nobody", "stranger", "viewer"])
def test_every_door_asks_for_its_permission(account: Callable[..., User], who: str) -> None:
    client = APIClient()
    if who != "nobody":
        permissions = ["alerts.view_alert"] if who == "viewer" else []
        client.force_authenticate(account(who, *permissions))
    alert = raised()
    refused = 401 if who == "nobody" else 403
    shown = 200 if who == "viewer" else refused
    assert client.get(BASE).status_code == shown
    assert client.get(f"{BASE}/{alert.pk}").status_code == shown
    for act in ("acknowledge", "silence", "resolve", "assign"):
        assert client.post(f"{BASE}/{alert.pk}/actions/{act}").status_code == refused
    assert client.post(f"{BASE}/alertmanager").status_code == refused
