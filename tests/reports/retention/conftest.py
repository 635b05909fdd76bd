"""People and machines that look at retention."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from config.accounts import token_issue
from lib import clock
from tests.console import Account, Person

VIEW, OPERATE = "retention.view_retentionrun", "retention.operate_retentionrun"


@pytest.fixture
def noon() -> Iterator[None]:
    """No day ends in the middle of the test."""
    now = clock.now()
    with clock.shift(now.replace(hour=12, minute=0) - now):
        yield


@pytest.fixture
def anna(person: Person) -> Client:
    """Anna may count and remove."""
    return person("anna", VIEW, OPERATE)


@pytest.fixture
def bob(person: Person) -> Client:
    """Bob may only look."""
    return person("bob", VIEW)


@pytest.fixture
def api(account: Account) -> Client:
    """A machine that reads."""
    issued = token_issue(account=account("machine", VIEW), lifetime=timedelta(days=1))
    return Client(headers={"Authorization": f"Bearer {issued.token}"})
