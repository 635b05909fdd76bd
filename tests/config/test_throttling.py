"""How many requests an account may make; without Redis nobody is refused."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from config.api.throttling import AccountThrottle, parse_rate

REDIS_COUNTS = pytest.mark.usefixtures("clean_redis", "probe_api")


@pytest.fixture(autouse=True)
def redis_is_asked() -> Iterator[None]:
    AccountThrottle.away_until = 0.0
    yield
    AccountThrottle.away_until = 0.0


@pytest.fixture
def rates(settings: Settings) -> Callable[..., None]:
    def change(**scopes: Any) -> None:
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": scopes}

    return change


@REDIS_COUNTS
def test_an_account_is_stopped_at_its_rate_and_told_when_to_come_back(
    caller: Callable[..., Client], rates: Callable[..., None]
) -> None:
    rates(account="3/h")
    machine = caller("config.view_ops")
    assert [machine.get("/api/echo").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = machine.get("/api/echo")
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused["Retry-After"]) <= 3600


@REDIS_COUNTS
def test_accounts_are_counted_apart(
    caller: Callable[..., Client], rates: Callable[..., None]
) -> None:
    rates(account="1/h")
    one, other = caller("config.view_ops"), caller("config.view_ops", name="other")
    assert [one.get("/api/echo").status_code for _ in range(2)] == [200, 429]
    assert other.get("/api/echo").status_code == 200


@REDIS_COUNTS
def test_strangers_are_counted_by_address(
    client: Client, db: None, rates: Callable[..., None]
) -> None:
    rates(account="1/h", anon="2/h")

    def ask(address: str) -> int:
        answer = client.post("/api/raw", "1", "application/json", REMOTE_ADDR=address)
        return answer.status_code

    assert [ask("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert ask("192.0.2.2") == 200


@REDIS_COUNTS
def test_no_rate_is_no_limit(caller: Callable[..., Client], rates: Callable[..., None]) -> None:
    rates(account=None)
    machine = caller("config.view_ops")
    assert {machine.get("/api/echo").status_code for _ in range(5)} == {200}


@pytest.mark.usefixtures("redis_away")
def test_without_redis_nobody_is_refused_and_redis_is_not_asked_again_at_once(
    caller: Callable[..., Client], rates: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    rates(account="1/h")
    machine = caller("config.view_ops")
    assert [machine.get("/api/echo").status_code for _ in range(3)] == [200, 200, 200]
    told = [record for record in caplog.records if "not counted" in record.getMessage()]
    assert len(told) == 1


@pytest.mark.unit
@pytest.mark.parametrize(
    ("rate", "parsed"), [("2000/s", (2000, 1)), ("10/min", (10, 60)), ("5/day", (5, 86400))]
)
def test_a_rate_is_requests_and_seconds(rate: str, parsed: tuple[int, int]) -> None:
    assert parse_rate(rate) == parsed


@pytest.mark.unit
@pytest.mark.parametrize("rate", ["", "10", "0/s", "-1/s", "10/", "ten/s", "10/x"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        parse_rate(rate)
