"""People at the console: an operator who acts, a reader who only looks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.ladders import NEVER, Delays
from jobs.registry import JobKind

Account = Callable[..., User]


def _browser(user: User, group: str) -> Client:
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice(account: Account) -> Client:
    """Alice operates: she is of the group Operator."""
    return _browser(account("alice", is_staff=True), "Operator")


@pytest.fixture
def bob(account: Account) -> Client:
    """Bob looks: he is of the group Support, and may change nothing."""
    return _browser(account("bob", is_staff=True), "Support")


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


@pytest.fixture
def queries() -> Callable[[Client, str], int]:
    """How many queries a page costs: queries(client, address)."""

    def count(client: Client, address: str) -> int:
        client.get(address)  # what is read once per process is read by now
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = client.get(address)
        assert answer.status_code == 200
        return len(captured)

    return count
