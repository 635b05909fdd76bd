from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifications.webhooks.answers import LONGEST_WAIT, Verdict, judge, retry_after
from notifications.webhooks.wire import Reply

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def reply(status: int | None, wait: str | None = None, error: str = "") -> Reply:
    return Reply(status, error, {"Retry-After": wait} if wait else {})


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_delivery(status: int) -> None:
    assert judge(reply(status), NOW) == Verdict("delivered")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(None, error="no answer in time"), {"error": "no answer in time", "is_down": True}),
        (reply(400), {"error": "answered 400"}),
        (reply(404, "60"), {"error": "answered 404"}),
        (reply(429), {"error": "answered 429"}),
        (reply(500, "60"), {"error": "answered 500", "is_down": True}),
        (reply(503), {"error": "answered 503", "is_down": True}),
        (
            reply(503, "60"),
            {"error": "answered 503", "is_down": True, "wait": timedelta(minutes=1)},
        ),
    ],
    ids=str,
)
def test_everything_else_is_a_failure(answer: Reply, expected: dict[str, Any]) -> None:
    assert judge(answer, NOW) == Verdict("failed", **expected)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_that_says_what_to_do(status: int) -> None:
    verdict = judge(reply(status), NOW)
    assert (verdict.outcome, verdict.is_down) == ("failed", False)
    assert "final address" in verdict.error


def test_429_with_retry_after_spends_no_try() -> None:
    verdict = judge(reply(429, "30"), NOW)
    assert (verdict.outcome, verdict.wait) == ("throttled", timedelta(seconds=30))


def test_410_is_the_end() -> None:
    assert judge(reply(410), NOW).is_gone


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", timedelta(0)),
        (" 120 ", timedelta(minutes=2)),
        ("Sun, 22 Nov 2026 12:01:30 GMT", timedelta(seconds=90)),
        ("Sun, 22 Nov 2026 12:01:30 -0000", timedelta(seconds=90)),
        ("Sun, 22 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("9999999999999999999999", LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("soon", None),
        # What the library raises other errors for than the one that it documents.
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999999999999", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 -2359", LONGEST_WAIT),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, expected: timedelta | None) -> None:
    assert retry_after(value, NOW) == expected
