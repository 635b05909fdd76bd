"""People and machines that look at retention."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.accounts import token_issue
from lib import clock

VIEW, OPERATE = "retention.view_retentionrun", "retention.operate_retentionrun"
Account = Callable[..., User]


def _browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def noon() -> Iterator[None]:
    """No day ends in the middle of the test."""
    now = clock.now()
    with clock.shift(now.replace(hour=12, minute=0) - now):
        yield


@pytest.fixture
def anna(account: Account) -> Client:
    """Anna may count and remove."""
    return _browser(account("anna", VIEW, OPERATE, is_staff=True))


@pytest.fixture
def bob(account: Account) -> Client:
    """Bob may only look."""
    return _browser(account("bob", VIEW, is_staff=True))


@pytest.fixture
def api(account: Account) -> Client:
    """A machine that reads."""
    issued = token_issue(account=account("machine", VIEW), lifetime=timedelta(days=1))
    return Client(headers={"Authorization": f"Bearer {issued.token}"})
