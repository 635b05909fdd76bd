"""Callers of the inbox, and the two ways on which their requests come in."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from config.accounts import token_issue
from tests.notifications.inbox.api.server import Caller, Carrier, Server, TestClient
from tests.quiet import QUIET
from tests.tables import Tables

EVERYTHING = (
    "inbox.send_notification",
    "inbox.view_notification",
    "inbox.change_notification",
    "inbox.view_recipient",
    "inbox.change_recipient",
)
# The same tests by both ways: a process of its own is for the ring of processes.
BOTH_WAYS = pytest.mark.parametrize(
    "way",
    [
        pytest.param("client", marks=pytest.mark.django_db(transaction=True)),
        pytest.param(
            "server", marks=[pytest.mark.process, pytest.mark.django_db(transaction=True)]
        ),
    ],
)


@pytest.fixture(scope="package")
def server(django_db_setup: Tables, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of this folder. It says again and again that it lives."""
    with django_db_setup.shared("inbox_pod"):
        server = Server(tmp_path_factory.mktemp("web") / "server.log", SWITCHBOARD_EXTRA_APPS=QUIET)
        yield server
        server.end()


@pytest.fixture
def carrier(way: str, request: pytest.FixtureRequest) -> Carrier:
    """What brings requests, as BOTH_WAYS says."""
    found: Carrier = request.getfixturevalue("server") if way == "server" else TestClient()
    return found


@pytest.fixture
def token(account: Callable[..., User]) -> Callable[..., str]:
    """The token of a machine with permissions: token("inbox.send_notification", name="shop")."""

    def make(*permissions: str, name: str = "machine") -> str:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return issued.token

    return make


@pytest.fixture
def caller(token: Callable[..., str]) -> Callable[..., Caller]:
    """A machine that asks Django itself."""

    def make(*permissions: str, **named: Any) -> Caller:
        return Caller(TestClient(), token(*permissions, **named))

    return make


@pytest.fixture
def api(caller: Callable[..., Caller]) -> Caller:
    """A machine that may do everything, and asks Django itself."""
    return caller(*EVERYTHING)


@pytest.fixture
def sender(carrier: Carrier, token: Callable[..., str]) -> Caller:
    """A machine that may do everything, by the way of the test."""
    return Caller(carrier, token(*EVERYTHING))
