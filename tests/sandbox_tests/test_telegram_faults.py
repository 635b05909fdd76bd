"""Every fault that can be ordered, as a client meets it."""

from typing import Any

import pytest
import requests

from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox_tests.conftest import CHAT, Bot


@pytest.mark.parametrize(
    ("status", "description"),
    [
        (500, "Internal Server Error: restart"),
        (502, "Bad Gateway"),
        (401, "Unauthorized"),
        (418, "Ordered failure 418"),
    ],
)
def test_a_status_comes_in_the_envelope_of_telegram(
    bot: Bot, sandbox: Sandbox, status: int, description: str
) -> None:
    sandbox.fault(kind="status", status=status)
    answer = bot.send()
    assert answer.status_code == status
    assert answer.json() == {"ok": False, "error_code": status, "description": description}
    assert sandbox.messages() == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"ok": False, "odd": True}, "application/json"),
        ("<p>down</p>", "text/html; charset=utf-8"),
        ('{"broken', "application/json"),
        ("", "text/html; charset=utf-8"),
    ],
)
def test_a_status_may_carry_any_body(
    bot: Bot, sandbox: Sandbox, body: Any, content_type: str
) -> None:
    sandbox.fault(kind="status", status=503, body=body)
    answer = bot.send()
    assert answer.status_code == 503
    assert answer.headers["content-type"] == content_type
    assert (answer.json() if isinstance(body, dict) else answer.text) == body


def test_a_rate_limit_names_the_seconds_to_wait(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="rate_limit", retry_after=35, times=1)
    answer = bot.send()
    assert answer.json() == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 35",
        "parameters": {"retry_after": 35},
    }
    assert answer.headers["retry-after"] == "35"
    assert bot.send().status_code == 200
    assert sandbox.stats()["limited"] == 1


def test_a_broken_edge_answers_with_html(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="html_502")
    answer = bot.send()
    assert answer.status_code == 502
    assert answer.text.startswith("<html>")
    assert sandbox.messages() == []


def test_an_edge_may_break_after_the_message_went_out(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="html_502", record=True)
    assert bot.send("once").status_code == 502
    assert [message["text"] for message in sandbox.messages()] == ["once"]


def test_cut_before_loses_the_connection_and_the_message(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="cut_before", times=1)
    with pytest.raises(requests.ConnectionError):
        bot.send()
    assert sandbox.messages() == []
    assert bot.send().status_code == 200


def test_cut_after_loses_the_connection_but_not_the_message(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="cut_after", times=1)
    with pytest.raises(requests.ConnectionError):
        bot.send("arrived")
    assert [message["text"] for message in sandbox.messages()] == ["arrived"]
    assert sandbox.stats()["by_status"] == {"cut": 1}


def test_cut_after_records_nothing_that_was_refused(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.behave(CHAT, "blocked")
    sandbox.fault(kind="cut_after")
    with pytest.raises(requests.ConnectionError):
        bot.send()
    assert sandbox.messages() == []


def test_a_cut_during_an_upload_is_a_cut_like_any_other(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="cut_after", method="sendDocument")
    with pytest.raises(requests.ConnectionError):
        bot.http.post(
            bot.url("sendDocument"),
            data={"chat_id": CHAT},
            files={"document": ("big.bin", b"x" * 300_000)},
            timeout=10,
        )
    assert sandbox.messages()[0]["document"]["file_size"] == 300_000


def test_down_cuts_everything_but_the_control_endpoints(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="down", for_s=60)
    with pytest.raises(requests.ConnectionError):
        bot.send()
    with pytest.raises(requests.ConnectionError):
        bot.post("getMe")
    assert sandbox.messages() == []
    sandbox.clear_faults()
    assert bot.send().status_code == 200


def test_down_ends_by_itself(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="down", for_s=0.2)

    def is_up() -> bool:
        try:
            return bot.post("getMe").ok
        except requests.ConnectionError:
            return False

    assert sandbox.wait_for(is_up)
    assert [fault["is_active"] for fault in sandbox.faults()] == [False]


def test_latency_delays_the_answer_not_the_message(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="latency", latency_ms=60_000, times=1)
    with pytest.raises(requests.ReadTimeout):
        bot.http.post(
            bot.url("sendMessage"), json={"chat_id": CHAT, "text": "slow"}, timeout=(5, 0.2)
        )
    assert sandbox.wait_for(sandbox.messages)[0]["text"] == "slow"


def test_a_late_answer_is_an_answer_like_any_other(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="latency", latency_ms=20)
    assert bot.send().json()["result"]["text"] == "hello"
    (call,) = sandbox.requests()
    assert (call["status"], call["fault"]) == (200, "latency")


def test_latency_and_a_failure_go_together(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="latency", latency_ms=1)
    sandbox.fault(kind="status", status=500)
    assert bot.send().status_code == 500


def test_a_fault_strikes_only_its_method_and_chat(free_bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="status", status=500, method="SendMessage", chat_id=CHAT)
    assert free_bot.send().status_code == 500
    assert free_bot.send(chat_id=CHAT + 1).status_code == 200
    assert free_bot.post("getMe").status_code == 200


def test_times_bounds_the_strikes_and_they_are_counted(free_bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="status", status=500, times=2)
    assert [free_bot.send().status_code for _ in range(4)] == [500, 500, 200, 200]
    (fault,) = sandbox.faults()
    assert (fault["struck"], fault["is_active"]) == (2, False)


def test_the_oldest_order_that_strikes_decides(free_bot: Bot, sandbox: Sandbox) -> None:
    sandbox.fault(kind="status", status=500, times=1)
    sandbox.fault(kind="status", status=503, times=1)
    assert [free_bot.send().status_code for _ in range(3)] == [500, 503, 200]


def test_a_share_is_drawn_from_its_seed(free_bot: Bot, sandbox: Sandbox) -> None:
    def strikes(seed: int) -> list[int]:
        sandbox.clear_faults()
        sandbox.fault(kind="status", status=500, share=0.3, seed=seed)
        return [free_bot.send().status_code for _ in range(60)]

    first = strikes(1)
    assert strikes(1) == first
    assert strikes(2) != first
    assert 5 <= first.count(500) <= 35


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "earthquake"},
        {"kind": "status", "service": "post-office"},
        {"kind": "status", "status": 99},
        {"kind": "status", "status": "500"},
        {"kind": "status", "share": 1.5},
        {"kind": "status", "times": 0},
        {"kind": "status", "times": True},
        {"kind": "status", "stauts": 500},
        {"kind": "latency"},
        {"kind": "down"},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(sandbox: Sandbox, order: dict[str, Any]) -> None:
    with pytest.raises(SandboxFailed, match="POST faults"):
        sandbox.fault(**order)
    assert sandbox.faults() == []


def test_one_fault_can_be_taken_back(free_bot: Bot, sandbox: Sandbox) -> None:
    first = sandbox.fault(kind="status", status=500)
    sandbox.fault(kind="status", status=503)
    answer = requests.delete(
        f"{sandbox.url}/_sandbox/faults", params={"id": first["id"]}, timeout=10
    )
    assert answer.json() == {"cleared": 1}
    assert free_bot.send().status_code == 503
