"""Why a message is where it is, in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import REASONS, message_explain

pytestmark = pytest.mark.unit

PAST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FUTURE = datetime(2999, 1, 2, 3, 4, 5, tzinfo=UTC)


def explain(**fields: Any) -> str:
    fields.setdefault("scheduled_at", PAST)
    return message_explain(QueuedMessage(telegram_id=1, message="x", **fields))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Due since 2026-01-02 03:04:05 UTC; waits for its turn."),
        ({"scheduled_at": FUTURE}, "Waits for its time, 2999-01-02 03:04:05 UTC."),
        (
            {"attempts": 1, "next_attempt_at": FUTURE, "error_message": "HTTP 500",
             "reason": "unavailable"},
            "Failed 1 time; the next try is at 2999-01-02 03:04:05 UTC. HTTP 500",
        ),
        (
            {"reason": "rate_limited", "next_attempt_at": FUTURE},
            "Telegram asked the bot to wait; the next try is at 2999-01-02 03:04:05 UTC.",
        ),
        (
            {"reason": "unauthorized", "next_attempt_at": FUTURE, "error_message": "Unauthorized"},
            "Telegram refuses the token of the bot; the next try is at 2999-01-02 03:04:05 UTC. "
            "Unauthorized",
        ),
        ({"claimed_at": PAST}, "Is being sent since 03:04:05 UTC."),
        (
            {"status": "sent", "sent_at": PAST, "message_id": 9},
            "Sent at 2026-01-02 03:04:05 UTC as message 9.",
        ),
        ({"status": "sent"}, "Sent."),  # by the hand of another backend
        (
            {"status": "sent", "sent_at": PAST, "message_id": 9, "maybe_doubled": True,
             "error_message": "sent as plain text: no end"},
            "Sent at 2026-01-02 03:04:05 UTC as message 9 (sent as plain text: no end). "
            "It may have arrived twice.",
        ),
        ({"status": "failed"}, "Gave up."),
        (
            {"status": "failed", "reason": "blocked", "error_message": "Forbidden"},
            "The person has blocked the bot. Forbidden",
        ),
        ({"status": "cancelled", "reason": "cancelled"}, "Cancelled by a person."),
        (
            {"status": "cancelled", "reason": "cancelled", "error_message": "HTTP 500"},
            "Cancelled by a person.",
        ),
        (
            {"status": "cancelled", "reason": "duplicate", "error_message": "message 7 was there"},
            "message 7 was there",
        ),
    ],
)  # fmt: skip
def test_each_state_has_its_sentence(fields: dict[str, Any], said: str) -> None:
    assert explain(**fields) == said


@pytest.mark.parametrize("reason", list(REASONS))
def test_each_reason_of_a_failure_has_its_sentence(reason: str) -> None:
    assert explain(status="failed", reason=reason).startswith(REASONS[reason])
