"""The looks at the real things: Postgres, Redis, the sandbox, and addresses of our own."""

import socket
from datetime import timedelta

import pytest
from django.conf import settings as active
from django.db import connections
from pytest_django.fixtures import Settings

from jobs.models import Breaker
from monitoring.checks.probes.outside import cryptobot_look, panel_look, telegram_look
from monitoring.checks.probes.stores import postgres_look, redis_look
from monitoring.checks.probes.uplink import uplink_look
from monitoring.checks.services import services_check
from monitoring.checks.verdicts import LookFailed, LookRefused
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.django_db
OUTSIDE = {"telegram": telegram_look, "remnawave": panel_look, "cryptopay": cryptobot_look}


def test_postgres_tells_its_size_and_its_connections() -> None:
    facts = postgres_look()
    assert facts["size_bytes"] > 0
    assert 0 < facts["connections"] <= facts["connections_most"]
    assert facts["version"].split(".")[0].isdigit()


def test_postgres_that_takes_no_new_connection_fails_though_ours_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = connections["default"]
    given = {**ours.get_connection_params(), "dbname": "there_is_no_such_database"}
    monkeypatch.setattr(ours, "get_connection_params", lambda: given)
    with pytest.raises(LookFailed, match="does not exist"):
        postgres_look()


def test_redis_tells_its_memory() -> None:
    facts = redis_look()
    assert facts["memory_bytes"] > 0
    assert facts["evicted"] >= 0


def test_redis_that_is_away_fails(redis_away: None) -> None:
    with pytest.raises(LookFailed, match="refused"):
        redis_look()


def test_services_of_others_say_who_they_are(outside: Sandbox) -> None:
    assert telegram_look()["bot"].startswith("@")
    assert panel_look()["version"]
    assert cryptobot_look()["app"]


@pytest.mark.parametrize("service", OUTSIDE)
def test_a_service_that_is_cut_off_fails(outside: Sandbox, service: str) -> None:
    outside.fault(service=service, kind="cut_before")
    with pytest.raises(LookFailed):
        OUTSIDE[service]()


@pytest.mark.parametrize("service", OUTSIDE)
def test_a_broken_edge_fails(outside: Sandbox, service: str) -> None:
    outside.fault(service=service, kind="html_502")
    with pytest.raises(LookFailed) as failed:
        OUTSIDE[service]()
    assert not failed.value.is_refusal


@pytest.mark.parametrize("service", OUTSIDE)
def test_a_service_that_asks_to_wait_is_there(outside: Sandbox, service: str) -> None:
    outside.fault(service=service, kind="rate_limit", retry_after=30)
    OUTSIDE[service]()


@pytest.mark.parametrize("service", OUTSIDE)
def test_a_token_that_is_refused_is_told_apart(
    outside: Sandbox, service: str, settings: Settings
) -> None:
    settings.TELEGRAM_BOT_TOKEN = "7001:revoked-secret"
    settings.REMNAWAVE_API_TOKEN = "revoked-token"
    settings.CRYPTOBOT_TOKEN = "41207:revoked-secret"
    with pytest.raises(LookRefused) as refused:
        OUTSIDE[service]()
    assert "secret" not in str(refused.value)


def test_a_token_that_cannot_be_one_is_refused_without_asking(settings: Settings) -> None:
    settings.CRYPTOBOT_TOKEN = "with\nline"
    with pytest.raises(LookRefused):
        cryptobot_look()


@pytest.mark.parametrize("service", OUTSIDE)
def test_a_slow_service_fails(outside: Sandbox, settings: Settings, service: str) -> None:
    settings.SERVICE_CHECK_TIMEOUT = timedelta(seconds=0.2)
    outside.fault(service=service, kind="latency", latency_ms=20_000)
    with pytest.raises(LookFailed):
        OUTSIDE[service]()


def test_a_look_sees_past_an_open_breaker_and_changes_none(outside: Sandbox) -> None:
    for name in ("telegram", "remnawave", "cryptobot"):
        Breaker.objects.create(name=name, state="open", failures=3)
    assert set(services_check().values()) == {"up", "off"}  # off: no uplink is looked at
    outside.fault(service="telegram", kind="cut_before")
    services_check()
    rows = Breaker.objects.values_list("state", "failures")
    assert set(rows) == {("open", 3)}


def test_what_has_no_address_or_token_is_not_asked(settings: Settings) -> None:
    settings.REMNAWAVE_URL = settings.TELEGRAM_BOT_TOKEN = settings.CRYPTOBOT_TOKEN = ""
    settings.UPLINK_PROBES = []
    states = services_check()
    assert {name for name, state in states.items() if state == "off"} == {
        "uplink", "remnawave", "telegram", "cryptobot",
    }  # fmt: skip


def test_redis_panel_and_telegram_away_at_once_crash_nothing(
    outside: Sandbox, redis_away: None
) -> None:
    for service in ("telegram", "remnawave"):
        outside.fault(service=service, kind="down", for_s=60)
    states = services_check()
    assert {name for name, state in states.items() if state == "failing"} == {
        "redis", "telegram", "remnawave",
    }  # fmt: skip
    assert states["cryptobot"] == states["postgres"] == "up"


def test_the_uplink_works_as_long_as_one_address_answers(
    settings: Settings, closed_port: int, sandbox: Sandbox
) -> None:
    settings.UPLINK_PROBES = [f"tcp://127.0.0.1:{closed_port}", f"{sandbox.url}/_sandbox/health"]
    assert uplink_look() == {"answered": 1, "asked": 2}


def test_any_answer_will_do_for_the_uplink(settings: Settings, sandbox: Sandbox) -> None:
    settings.UPLINK_PROBES = [f"{sandbox.url}/there-is-no-such-page"]
    assert uplink_look() == {"answered": 1, "asked": 1}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.UPLINK_PROBES = [f"tcp://127.0.0.1:{listening.getsockname()[1]}"]
        assert uplink_look()["answered"] == 1


def test_the_uplink_is_down_when_no_address_answers(settings: Settings, closed_port: int) -> None:
    settings.UPLINK_PROBES = [f"tcp://127.0.0.1:{closed_port}", f"http://127.0.0.1:{closed_port}/"]
    with pytest.raises(LookFailed, match="refused") as failed:
        uplink_look()
    assert str(failed.value).count(str(closed_port)) == 2


def test_the_interval_of_the_contract_is_the_one_of_the_job() -> None:
    from jobs.registry import kind_get

    periodic = kind_get("monitoring.check_services").periodic
    assert periodic is not None
    assert periodic.every == active.SERVICE_CHECK_INTERVAL == timedelta(seconds=60)
