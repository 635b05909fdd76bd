"""People at the console: one who sets it up, one who operates, one who only looks."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

Account = Callable[..., User]


def _browser(user: User, group: str) -> Client:
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def anna(account: Account) -> Client:
    """Anna sets it up: she is of the group Admin."""
    return _browser(account("anna", is_staff=True), "Admin")


@pytest.fixture
def alice(account: Account) -> Client:
    """Alice operates: she is of the group Operator."""
    return _browser(account("alice", is_staff=True), "Operator")


@pytest.fixture
def bob(account: Account) -> Client:
    """Bob looks: he is of the group Support, and may change nothing."""
    return _browser(account("bob", is_staff=True), "Support")


@pytest.fixture
def queries() -> Callable[[Client, str], int]:
    """How many queries a page costs: queries(client, address)."""

    def count(client: Client, address: str) -> int:
        client.get(address)  # what is read once per process is read by now
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        assert answer.status_code == 200
        return len(captured)

    return count
