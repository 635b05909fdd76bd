"""The rate of an account behind a door: the same counters, asked by the handful."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import RequestFactory
from pytest_django.fixtures import Settings
from rest_framework.request import Request
from rest_framework.views import APIView

from config.api import allowance
from config.api.allowance import Allowance
from config.api.throttling import AccountThrottle, Quota, quota_of, spend

pytestmark = pytest.mark.unit
REDIS_COUNTS = pytest.mark.usefixtures("clean_redis")


@pytest.fixture(autouse=True)
def rate(settings: Settings) -> Iterator[Any]:
    """Set the rate of accounts: rate("5/h")."""

    def change(text: str) -> None:
        rates = {"DEFAULT_THROTTLE_RATES": {"account": text}}
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **rates}

    AccountThrottle.away_until = 0.0
    yield change
    AccountThrottle.away_until = 0.0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests each question to Redis was about."""
    amounts: list[int] = []

    def seen(quota: Quota, amount: int) -> tuple[float, float]:
        amounts.append(amount)
        return spend(quota, amount)

    monkeypatch.setattr(allowance, "spend", seen)
    return amounts


def request_of(pk: int = 7) -> Request:
    request = Request(RequestFactory().post("/"))
    request.user = User(pk=pk, username="machine")
    return request


def waits(held: Allowance, times: int) -> list[float | None]:
    """What is said to so many who come at once."""

    async def all_at_once() -> list[float | None]:
        return await asyncio.gather(*(held.wait_s(request_of()) for _ in range(times)))

    found: list[float | None] = async_to_sync(all_at_once)()
    return found


@REDIS_COUNTS
def test_a_small_rate_is_exact(rate: Any, asked: list[int]) -> None:
    rate("5/h")
    said = waits(Allowance(), 8)
    assert [each is None for each in said] == [True] * 5 + [False] * 3
    assert all(0 < each <= 3600 for each in said if each is not None)
    assert set(asked) == {1}


@REDIS_COUNTS
def test_a_large_rate_is_asked_for_by_the_handful(rate: Any, asked: list[int]) -> None:
    rate("10000/h")
    assert waits(Allowance(), 250) == [None] * 250
    assert asked == [100, 100, 100]


@REDIS_COUNTS
def test_processes_together_get_no_more_than_the_rate(rate: Any) -> None:
    rate("1000/h")
    one, other = Allowance(), Allowance()
    said = [*waits(one, 600), *waits(other, 600)]
    let_in = sum(each is None for each in said)
    quota = quota_of(request_of())
    assert quota == Quota("throttle:account:7", 1000, 3600)
    assert AccountThrottle.away_until == 0.0
    assert 1000 - 2 * 10 <= let_in <= 1000, spend(quota, 0)


@REDIS_COUNTS
def test_what_the_door_let_in_counts_for_the_ordinary_way(rate: Any) -> None:
    rate("3/h")
    waits(Allowance(), 2)
    ordinary = [AccountThrottle().allow_request(request_of(), APIView()) for _ in range(2)]
    assert ordinary == [True, False]


@REDIS_COUNTS
def test_no_rate_is_no_limit(settings: Settings, asked: list[int]) -> None:
    rates = {"DEFAULT_THROTTLE_RATES": {"account": None}}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **rates}
    assert waits(Allowance(), 50) == [None] * 50
    assert asked == []


@pytest.mark.usefixtures("redis_away")
def test_without_redis_nobody_is_refused(rate: Any) -> None:
    rate("1/h")
    assert waits(Allowance(), 5) == [None] * 5
