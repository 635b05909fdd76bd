"""Many callers at once: nothing is lost, nothing is counted twice, limits hold."""

from concurrent.futures import ThreadPoolExecutor

import requests

from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.conftest import CHAT, Bot

CALLERS = 8
EACH = 40


def send_many(base: str, caller: int) -> list[int | None]:
    """Statuses in order; None for a connection that was cut."""
    bot = Bot(base)
    statuses: list[int | None] = []
    for number in range(EACH):
        try:
            answer = bot.send(f"{caller} {number}", chat_id=CHAT + caller)
            statuses.append(answer.status_code)
        except requests.ConnectionError:
            statuses.append(None)
    bot.http.close()
    return statuses


def run(sandbox: Sandbox) -> list[int | None]:
    with ThreadPoolExecutor(CALLERS) as pool:
        results = pool.map(lambda caller: send_many(sandbox.telegram_url, caller), range(CALLERS))
        return [status for statuses in results for status in statuses]


def test_parallel_callers_lose_nothing(sandbox: Sandbox) -> None:
    sandbox.limits(enabled=False)
    assert set(run(sandbox)) == {200}
    messages = sandbox.messages()
    assert len({message["message_id"] for message in messages}) == CALLERS * EACH
    assert len({message["text"] for message in messages}) == CALLERS * EACH
    for caller in range(CALLERS):
        texts = [message["text"] for message in sandbox.messages(CHAT + caller)]
        assert texts == [f"{caller} {number}" for number in range(EACH)]


def test_parallel_callers_meet_the_limits_together(sandbox: Sandbox) -> None:
    statuses = run(sandbox)
    assert set(statuses) == {200, 429}
    assert statuses.count(200) == len(sandbox.messages())
    assert statuses.count(429) == sandbox.stats()["limited"]


def test_cuts_among_parallel_callers_leave_exactly_the_unknown_ones_recorded(
    sandbox: Sandbox,
) -> None:
    sandbox.limits(enabled=False)
    sandbox.fault(kind="cut_before", share=0.1, seed=1)
    sandbox.fault(kind="cut_after", share=0.1, seed=2)
    statuses = run(sandbox)
    before, after = (fault["struck"] for fault in sandbox.faults())
    assert before > 0
    assert after > 0
    assert statuses.count(None) == before + after
    assert len(sandbox.messages()) == statuses.count(200) + after
