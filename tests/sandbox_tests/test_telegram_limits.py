"""Flood limits: the arithmetic with a clock of our own, then the 429 over HTTP."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox.telegram.limits import FloodLimits, LimitRules
from tests.sandbox_tests.conftest import CHAT, Bot

BOT = 7
GROUP = -1001234567890


def admitted(limits: FloodLimits, chats: Iterator[int], now: float, tries: int) -> int:
    return sum(limits.admit(BOT, next(chats), now) is None for _ in range(tries))


@pytest.mark.unit
def test_a_bot_sends_thirty_in_a_second_to_different_chats() -> None:
    limits = FloodLimits()
    assert admitted(limits, count(1), 100.0, 40) == 30


@pytest.mark.unit
def test_a_steady_29_per_second_is_never_refused() -> None:
    limits = FloodLimits()
    chats = count(1)
    assert all(limits.admit(BOT, next(chats), 100 + i / 29) is None for i in range(29 * 60))


@pytest.mark.unit
def test_a_chat_takes_a_short_burst_and_then_one_per_second() -> None:
    limits = FloodLimits()
    assert [limits.admit(BOT, CHAT, 100.0) for _ in range(4)] == [None, None, None, 1]
    steady = FloodLimits()
    assert all(steady.admit(BOT, CHAT, 100.0 + i) is None for i in range(60))


@pytest.mark.unit
def test_other_chats_and_bots_are_not_held_up_by_a_busy_chat() -> None:
    limits = FloodLimits()
    while limits.admit(BOT, CHAT, 100.0) is None:
        pass
    assert limits.admit(BOT, CHAT + 1, 100.0) is None
    assert limits.admit(BOT + 1, CHAT, 100.0) is None


@pytest.mark.unit
def test_a_group_takes_twenty_in_a_minute() -> None:
    limits = FloodLimits(LimitRules(chat_per_s=0))
    sent = sum(limits.admit(BOT, GROUP, 100 + i / 10) is None for i in range(100))
    assert 20 <= sent <= 24
    assert sum(limits.admit(BOT, CHAT, 200 + i / 10) is None for i in range(100)) == 100


@pytest.mark.unit
def test_whoever_waits_as_told_gets_through() -> None:
    limits = FloodLimits()
    now = 100.0
    for _ in range(50):
        wait = limits.admit(BOT, CHAT, now)
        if wait is not None:
            now += wait
            assert limits.admit(BOT, CHAT, now) is None


@pytest.mark.unit
def test_sending_during_a_pause_prolongs_it_a_little_and_not_for_ever() -> None:
    def wait_after(refused: int) -> int | None:
        limits = FloodLimits()
        waits = [limits.admit(BOT, CHAT, 100.0) for _ in range(3 + refused)]
        return waits[-1]

    assert [wait_after(1), wait_after(11), wait_after(10_000)] == [1, 2, 6]


@pytest.mark.unit
def test_a_refused_send_takes_no_token() -> None:
    limits = FloodLimits(LimitRules(prolong_s=0))
    for _ in range(3):
        limits.admit(BOT, CHAT, 100.0)
    for _ in range(20):
        limits.admit(BOT, CHAT, 100.0)
    assert admitted(limits, count(CHAT + 1), 100.0, 40) == 27


@pytest.mark.unit
def test_full_buckets_are_forgotten() -> None:
    limits = FloodLimits(LimitRules(overall_per_s=0))
    for chat_id in range(1, 50_001):
        limits.admit(BOT, chat_id, chat_id / 100)
    assert len(limits._full_at) < 10_000


def test_the_fourth_message_at_once_gets_a_real_429(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.limits(chat_per_s=0.01)
    answers = [bot.send(f"text {i}") for i in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    refusal = answers[3].json()
    wait = refusal["parameters"]["retry_after"]
    assert refusal == {
        "ok": False,
        "error_code": 429,
        "description": f"Too Many Requests: retry after {wait}",
        "parameters": {"retry_after": wait},
    }
    assert wait >= 1
    assert answers[3].headers["retry-after"] == str(wait)
    assert len(sandbox.messages()) == 3
    assert sandbox.stats()["limited"] == 1


def test_limits_can_be_switched_off_changed_and_come_back_with_a_reset(
    bot: Bot, sandbox: Sandbox
) -> None:
    assert sandbox.limits(enabled=False)["enabled"] is False
    assert {bot.send(f"text {i}").status_code for i in range(50)} == {200}
    sandbox.limits(enabled=True, chat_per_s=0.01, chat_burst=1, overall_per_s=None)
    assert [bot.send(f"more {i}").status_code for i in range(2)] == [200, 429]
    sandbox.reset()
    assert sandbox.limits() == {"service": "telegram", **LimitRules().as_json()}


def test_what_the_api_server_refuses_by_itself_costs_nothing(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.behave(CHAT + 1, "not_found")
    for _ in range(10):
        assert bot.send("<x>", parse_mode="HTML").status_code == 400
        assert bot.send("x", chat_id=CHAT + 1).status_code == 400
    assert bot.send("x").status_code == 200


def test_a_blocked_chat_costs_as_much_as_an_open_one(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.limits(chat_per_s=0.01)
    sandbox.behave(CHAT, "blocked")
    assert [bot.send("x").status_code for _ in range(4)] == [403, 403, 403, 429]


@pytest.mark.parametrize(
    "changes",
    [{"speed": 1}, {"overall_per_s": -1}, {"enabled": "no"}, {"chat_burst": 0}, {"service": "x"}],
)
def test_limits_that_make_no_sense_are_refused(
    sandbox: Sandbox, changes: dict[str, object]
) -> None:
    with pytest.raises(SandboxFailed, match="PUT limits"):
        sandbox.limits(**changes)
