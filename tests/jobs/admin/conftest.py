"""Kinds of which the console shows jobs."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.ladders import NEVER, Delays
from jobs.registry import JobKind


@pytest.fixture
def failing(declare: Callable[..., JobKind[Any]]) -> JobKind[Any]:
    """A kind that dies at its first attempt: it refuses every currency but EUR."""

    def capture(payment_id: int, currency: str = "EUR") -> dict[str, int]:
        """Book a payment."""
        if currency != "EUR":
            raise ValueError(f"invoice {payment_id}: currency {currency} is not known")
        return {"captured": payment_id}

    return declare(capture, name="tests.capture", retry=NEVER)


@pytest.fixture
def flaky(declare: Callable[..., JobKind[Any]]) -> JobKind[Any]:
    """A kind that fails and is tried again after a minute."""

    def deliver(chat_id: int) -> None:
        """Deliver a message."""
        raise ConnectionError(f"chat {chat_id} does not answer")

    return declare(deliver, name="tests.deliver", retry=Delays("1m 1m"))


@pytest.fixture
def quiet(declare: Callable[..., JobKind[Any]]) -> JobKind[Any]:
    """A kind that does nothing."""
    return declare(name="tests.quiet")
