from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.accounts import token_issue

MakeCaller = Callable[..., Client]


@pytest.fixture
def caller(account: Callable[..., User]) -> MakeCaller:
    """A machine with a token and these permissions."""

    def make(*permissions: str, name: str = "machine") -> Client:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {issued.token}"})

    return make


@pytest.fixture
def api(caller: MakeCaller) -> Client:
    """One that may do all of it."""
    return caller(
        "subscriptions.view_plan",
        "subscriptions.view_subscriber",
        "subscriptions.change_subscriber",
        "payments.enqueue_payment",
    )
