"""What a call leaves in logs, errors and metrics, and what it must not."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from lib.context import correlated
from lib.http import (
    Call,
    HttpFailure,
    Unreachable,
)
from tests.lib.wire import Wire, answering, door, reset, silent

TOKEN = "123456:AbC-dEf_secret"


def every_text(exc: BaseException | None) -> Iterator[str]:
    while exc is not None:
        yield f"{exc!r} {exc} {exc.args} {vars(exc)}"
        exc = exc.__cause__ or exc.__context__


@pytest.mark.parametrize("script", [silent, answering(b"x" * 3000), reset])
def test_the_token_is_in_no_error_and_no_log(script: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    options = {"secrets": (TOKEN,), "read_timeout_s": 0.2, "max_body_bytes": 2000}
    with (
        Wire(script) as wire,
        door(f"{wire.url}/bot{TOKEN}", **options) as out,
        pytest.raises(HttpFailure) as caught,
    ):
        out.request("POST", "sendMessage", json={"text": "x"})
    logged = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert any("/bot***/sendMessage" in line for line in logged)
    for text in [*every_text(caught.value), *logged]:
        assert "AbC-dEf_secret" not in text


def test_the_log_of_urllib3_shows_neither_token_nor_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    with (
        Wire(answering(headers="broken header\r\n")) as wire,
        door(f"{wire.url}/bot{TOKEN}", secrets=(TOKEN,)) as out,
    ):
        out.request("GET", "getMe", params={"key": "hidden-value"}, label="getMe")
    theirs = [record.getMessage() for record in caplog.records if record.name.startswith("urllib3")]
    assert any("getMe" in line for line in theirs), "urllib3 did log the call"
    assert not any("AbC" in line or "hidden-value" in line for line in theirs)


def test_a_finished_call_is_one_line_and_one_observation(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="lib.http")
    seen: list[Call] = []
    with (
        Wire(answering(status="503 Busy")) as wire,
        door(wire.url, observe=seen.append) as out,
        correlated("abc"),
    ):
        out.request("POST", "/users/7", label="/users/{id}")
    (record,) = [record for record in caplog.records if record.name == "lib.http"]
    assert record.levelno == logging.INFO
    shown = {
        name: vars(record)[name] for name in ("service", "method", "path", "status", "failure")
    }
    assert shown == {
        "service": "peer",
        "method": "POST",
        "path": "/users/{id}",
        "status": 503,
        "failure": None,
    }
    assert vars(record)["correlation_id"] == "abc"
    assert vars(record)["duration_ms"] >= 0
    assert [(call.path, call.status, call.failure) for call in seen] == [("/users/{id}", 503, None)]


def test_a_failed_call_is_observed_with_the_code_of_its_failure(refused_port: int) -> None:
    seen: list[Call] = []
    with (
        door(f"http://127.0.0.1:{refused_port}", observe=seen.append) as out,
        pytest.raises(Unreachable),
    ):
        out.request("POST", "/a")
    assert [(call.status, call.failure) for call in seen] == [(None, "unreachable")]


def test_a_broken_observer_does_not_change_the_outcome(caplog: pytest.LogCaptureFixture) -> None:
    def observe(_: Call) -> None:
        raise RuntimeError("no room for metrics")

    with Wire(answering(b"[1]")) as wire, door(wire.url, observe=observe) as out:
        assert out.request("GET", "/").json() == [1]
    assert "no room for metrics" in caplog.text
