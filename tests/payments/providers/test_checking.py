"""The job that asks whether the token of Crypto Pay fits."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.alerts import attention_needed
from jobs.outcomes import Snooze
from jobs.registry import kind_get
from payments.providers.cryptobot import checking
from payments.providers.cryptobot.checking import provider_check
from payments.providers.cryptobot.errors import CryptoPayAway
from payments.providers.cryptobot.tasks import check_provider
from tests.sandbox.fixture import Sandbox


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    """What people are told."""
    heard: list[dict[str, Any]] = []

    def hear(sender: object, **announced: Any) -> None:
        heard.append(announced)

    attention_needed.connect(hear)
    yield heard
    attention_needed.disconnect(hear)


def test_a_token_that_fits_is_fine(provider: Sandbox, told: list[dict[str, Any]]) -> None:
    assert check_provider() == {"status": "ok", "app_id": 41207, "bot": "CryptoBot"}
    assert told == []


def test_the_check_runs_by_itself() -> None:
    periodic = kind_get("payments.check_provider").periodic
    assert periodic is not None
    assert periodic.every is not None


def test_without_a_token_nobody_is_asked_or_told(
    provider: Sandbox, settings: Settings, told: list[dict[str, Any]]
) -> None:
    settings.CRYPTOBOT_TOKEN = ""
    assert provider_check() == {"status": "not_configured"}
    settings.CRYPTOBOT_TOKEN = "41207:again"
    assert (provider.pay.stats()["received"], told) == (0, [])


@pytest.mark.parametrize(
    ("state", "status", "group"),
    [
        ("revoked", "token_refused", "cryptobot.token"),
        ("suspended", "suspended", "cryptobot.suspended"),
    ],
)
def test_a_barred_app_is_told_to_a_person(
    provider: Sandbox, told: list[dict[str, Any]], state: str, status: str, group: str
) -> None:
    provider.pay.app(41207, **{state: True})
    assert provider_check() == {"status": status}
    (announced,) = told
    assert (announced["group"], announced["severity"]) == (group, "critical")
    assert "secret" not in str(announced)


def test_a_token_of_the_other_network_is_told_to_a_person(
    provider: Sandbox, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "BOTS", {"127.0.0.1": "CryptoTestnetBot"})
    assert provider_check()["status"] == "wrong_network"
    (announced,) = told
    assert "should lead to @CryptoTestnetBot, but the token is of @CryptoBot" in announced["text"]


@pytest.mark.parametrize(("debug", "status"), [(True, "ok"), (False, "testnet")])
def test_play_money_is_told_where_it_matters(
    provider: Sandbox,
    settings: Settings,
    told: list[dict[str, Any]],
    debug: bool,
    status: str,
) -> None:
    settings.DEBUG = debug
    settings.CRYPTOBOT_TOKEN = "41207:testnet-secret"
    provider.pay.network("testnet")
    assert provider_check()["status"] == status
    assert [each["group"] for each in told] == (["cryptobot.testnet"] if not debug else [])


def test_an_outage_is_no_finding(provider: Sandbox, told: list[dict[str, Any]]) -> None:
    provider.fault(service="cryptopay", kind="status", status=500, times=1)
    with pytest.raises(CryptoPayAway):
        check_provider()
    provider.fault(service="cryptopay", kind="rate_limit", retry_after=9, times=1)
    assert isinstance(check_provider(), Snooze)
    assert told == []
