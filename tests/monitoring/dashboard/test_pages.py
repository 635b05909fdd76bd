"""`/ops/` and the same by REST: who may see them, and what they hold."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.metrics import exposition
from monitoring.dashboard import metrics
from monitoring.dashboard.events import event_note
from monitoring.dashboard.refreshing import snapshot_refresh

Account = Callable[..., User]
API = "/api/v1/dashboard"


@pytest.fixture
def olga(client: Client, account: Account) -> Client:
    client.force_login(account("olga", "nodes.view_node", is_staff=True))
    return client


def test_the_page_shows_its_first_picture_without_another_request(olga: Client) -> None:
    snapshot_refresh()
    event_note("node_offline", "fra-1 </script> is offline")
    answer = olga.get("/ops/")
    assert answer.status_code == 200
    html = answer.content.decode()
    assert "fra-1 \\u003C/script\\u003E is offline" in html
    assert '"taken_at"' in html
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_strangers_log_in_first_and_others_are_refused(client: Client, account: Account) -> None:
    answer = client.get("/ops/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/ops/")
    client.force_login(account("shop", "nodes.view_node"))
    assert client.get("/ops/").status_code == 302  # no staff
    client.force_login(account("eve", is_staff=True))
    assert client.get("/ops/").status_code == 403
    client.force_login(account("root", is_staff=True, is_superuser=True))
    assert client.get("/ops/").status_code == 200


def test_the_same_by_rest(
    olga: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    snapshot_refresh()
    event_note("node_offline", "fra-1 is offline", severity="critical")
    with django_assert_max_num_queries(10):
        answer = olga.get(API)
    found = answer.json()
    assert set(found) == {"snapshot", "events", "alerts", "tick"}
    assert found["events"]["items"][0]["title"] == "fra-1 is offline"
    assert found["snapshot"]["work"]["queues"]
    assert found["tick"]["trouble"] == ""


def test_before_the_first_picture_there_is_none_and_no_error(
    olga: Client, clean_redis: None
) -> None:
    assert olga.get(API).json()["snapshot"] is None
    assert olga.get("/ops/").status_code == 200


def test_rest_refuses_in_the_words_of_problems(client: Client, account: Account) -> None:
    answer = client.get(API)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    client.force_login(account("eve", is_staff=True))
    answer = client.get(API)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_the_age_of_the_picture_is_a_metric() -> None:
    assert b"dashboard_snapshot_age_seconds" not in exposition()[0]
    assert list(metrics.collect()) == []
    snapshot_refresh()
    values = {each.name: each.samples[0].value for each in metrics.collect()}
    assert set(values) == {"dashboard_snapshot_age_seconds", "dashboard_snapshot_seconds"}
    assert b"dashboard_snapshot_age_seconds" in exposition()[0]
