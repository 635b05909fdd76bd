"""What Prometheus reads, and who else may."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from config import metrics
from config.metrics import exposition, register_collector

OUTSIDE = "192.0.2.1"


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of this test alone."""
    monkeypatch.setattr(metrics, "_sources", {})


def depth() -> Iterator[Metric]:
    yield GaugeMetricFamily("queue_depth", "Jobs that wait", value=7)


def broken() -> Iterator[Metric]:
    raise ZeroDivisionError


def values(body: bytes) -> dict[str, float]:
    families = text_string_to_metric_families(body.decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_this_machine_reads_the_counters_of_the_process(client: Client) -> None:
    client.get("/")
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert values(answer.content)["django_http_requests_before_middlewares_total"] >= 1


def test_openmetrics_is_given_to_who_asks_for_it(client: Client, sources: None) -> None:
    register_collector(depth)
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")
    assert b"queue_depth 7.0" in answer.content


@pytest.mark.unit
def test_a_source_is_asked_at_each_scrape_and_only_for_all_processes(sources: None) -> None:
    register_collector(depth)
    register_collector(depth)
    assert values(exposition()[0])["queue_depth"] == 7
    assert exposition()[0].count(b"\nqueue_depth ") == 1
    assert "queue_depth" not in values(exposition(shared=False)[0])


@pytest.mark.unit
def test_a_source_that_fails_is_counted_and_hides_no_other(
    sources: None, caplog: pytest.LogCaptureFixture
) -> None:
    register_collector(broken)
    register_collector(depth)
    exposition()
    seen = values(exposition()[0])
    assert seen["queue_depth"] == 7
    assert seen["switchboard_metrics_source_failures_total"] >= 1
    assert any(record.exc_info for record in caplog.records)


def test_a_stranger_from_outside_is_refused(client: Client) -> None:
    answer = client.get("/metrics", REMOTE_ADDR=OUTSIDE)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_a_proxy_on_this_machine_opens_no_door(client: Client, header: str) -> None:
    assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 401


def test_an_address_may_be_let_in(client: Client, settings: Settings) -> None:
    settings.METRICS_ALLOWED = []
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 401


def test_a_token_with_the_permission_reads_from_anywhere(caller: Callable[..., Client]) -> None:
    assert caller("config.view_metrics").get("/metrics", REMOTE_ADDR=OUTSIDE).status_code == 200


def test_a_token_without_the_permission_is_refused(caller: Callable[..., Client]) -> None:
    assert caller("config.view_ops").get("/metrics", REMOTE_ADDR=OUTSIDE).status_code == 403


def test_a_token_that_does_not_hold_is_refused(
    client: Client, account: Callable[..., User]
) -> None:
    answer = client.get(
        "/metrics", headers={"Authorization": "Bearer " + "0" * 64}, REMOTE_ADDR=OUTSIDE
    )
    assert answer.status_code == 401


def test_open_identity_opens_it(client: Client, settings: Settings) -> None:
    settings.OPEN_IDENTITY = True
    assert client.get("/metrics", REMOTE_ADDR=OUTSIDE).status_code == 200
