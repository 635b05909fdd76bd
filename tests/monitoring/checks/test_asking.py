"""Looking at several things side by side."""

import threading
from typing import Any

import pytest

from monitoring.checks.asking import ask_all
from monitoring.checks.verdicts import LookFailed, LookRefused

pytestmark = pytest.mark.unit


def well() -> dict[str, Any]:
    return {"version": "1"}


def test_each_has_its_own_verdict() -> None:
    def away() -> dict[str, Any]:
        raise LookFailed("connection refused")

    def refused() -> dict[str, Any]:
        raise LookRefused("401")

    found = ask_all({"a": well, "b": away, "c": refused}, timeout_s=10)
    assert (found["a"].is_ok, found["a"].facts) == (True, {"version": "1"})
    assert (found["b"].is_ok, found["b"].error, found["b"].is_refusal) == (
        False, "connection refused", False,
    )  # fmt: skip
    assert found["c"].is_refusal


def test_they_run_at_the_same_time() -> None:
    meet = threading.Barrier(3, timeout=10)

    def look() -> dict[str, Any]:
        meet.wait()
        return {}

    found = ask_all(dict.fromkeys("abc", look), timeout_s=10)
    assert all(verdict.is_ok for verdict in found.values())


def test_one_that_hangs_fails_alone_and_holds_up_nobody() -> None:
    ends = threading.Event()

    def hang() -> dict[str, Any]:
        ends.wait(30)
        return {}

    try:
        found = ask_all({"slow": hang, "quick": well}, timeout_s=1)
    finally:
        ends.set()
    assert found["quick"].is_ok
    assert found["slow"].error == "no answer within 1 s"


def test_a_fault_of_ours_is_no_service_that_is_well(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> dict[str, Any]:
        raise ZeroDivisionError

    verdict = ask_all({"a": broken}, timeout_s=10)["a"]
    assert verdict.error == "the look itself failed: ZeroDivisionError"
    assert "the look at a failed" in caplog.text


def test_nothing_to_look_at_is_nothing_found() -> None:
    assert ask_all({}, timeout_s=1) == {}
