"""What each answer of Telegram means for a message."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from notifications.telegram import errors
from notifications.telegram.lane import Fate
from notifications.telegram.sending import fate_of

pytestmark = pytest.mark.unit

LADDER_S = [30, 60, 300, 900]


@pytest.mark.parametrize("reason", list(errors.ChatReason))
def test_a_chat_that_cannot_be_reached_is_the_end(reason: errors.ChatReason) -> None:
    fate = fate_of(1, 0, errors.ChatUnreachable(reason, "Forbidden: whatever"))
    assert (fate.outcome, fate.reason) == ("failed", reason.value)
    assert "Forbidden: whatever" in (fate.error or "")


@pytest.mark.parametrize("reason", list(errors.TextReason))
def test_a_text_that_nobody_can_get_is_the_end(reason: errors.TextReason) -> None:
    fate = fate_of(1, 3, errors.TextRefused(reason, "Bad Request"))
    assert (fate.outcome, fate.reason) == ("failed", reason.value)


def test_any_other_refusal_is_the_end() -> None:
    fate = fate_of(1, 0, errors.RequestRefused("Bad Request: TOPIC_CLOSED"))
    assert (fate.outcome, fate.reason) == ("failed", "refused")


def test_a_limit_is_waited_for_and_is_no_failure() -> None:
    fate = fate_of(1, 4, errors.RateLimited(timedelta(seconds=17)))
    assert (fate.outcome, fate.reason) == ("wait", "rate_limited")
    assert fate.wait == timedelta(seconds=17)


def test_a_new_id_of_the_group_is_no_failure() -> None:
    fate = fate_of(1, 4, errors.ChatMigrated(-100500))
    assert (fate.outcome, fate.reason, fate.wait) == ("wait", "migrated", timedelta(0))


def test_a_refused_token_is_no_failure_of_the_message() -> None:
    fate = fate_of(1, 4, errors.BotUnauthorized("Unauthorized"))
    assert (fate.outcome, fate.reason) == ("wait", "unauthorized")


@pytest.mark.parametrize("attempts", [0, 1, 2, 3])
def test_a_failure_climbs_the_ladder(attempts: int) -> None:
    fate = fate_of(1, attempts, errors.TelegramUnavailable("connection refused"))
    assert (fate.outcome, fate.reason, fate.is_unknown) == ("retry", "unavailable", False)
    assert fate.wait is not None
    assert 0.9 * LADDER_S[attempts] <= fate.wait.total_seconds() <= 1.1 * LADDER_S[attempts]


@pytest.mark.parametrize("attempts", [4, 5, 50])
def test_the_fifth_failure_is_the_end(attempts: int) -> None:
    fate = fate_of(1, attempts, errors.TelegramUnavailable("connection refused"))
    assert (fate.outcome, fate.reason) == ("failed", "unavailable")


def test_how_many_failures_are_the_end_is_a_setting(settings: Settings) -> None:
    settings.NOTIFICATION_MAX_RETRIES = 9
    exc = errors.TelegramUnavailable("HTTP 500")
    assert [fate_of(1, n, exc).outcome for n in (7, 8)] == ["retry", "failed"]
    wait = fate_of(1, 7, exc).wait  # beyond the ladder: its last step
    assert wait is not None
    assert wait.total_seconds() == pytest.approx(3600, rel=0.11)


@pytest.mark.parametrize(("attempts", "outcome"), [(0, "retry"), (4, "failed")])
def test_an_unknown_end_may_have_arrived(attempts: int, outcome: str) -> None:
    fate = fate_of(1, attempts, errors.OutcomeUnknown("read timeout"))
    assert (fate.outcome, fate.reason, fate.is_unknown) == (outcome, "outcome_unknown", True)


def test_no_error_text_is_endless() -> None:
    fate = fate_of(1, 0, errors.TelegramUnavailable("x" * 100_000))
    assert isinstance(fate, Fate)
    assert len(fate.error or "") <= 1000
