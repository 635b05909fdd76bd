"""Callers of the conversations."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from config.accounts import token_issue
from tests.notifications.inbox.api.server import Caller, TestClient

EVERYTHING = (
    "conversations.view_dialog",
    "conversations.operate_dialog",
    "conversations.send_message",
)


@pytest.fixture
def caller(account: Callable[..., User]) -> Callable[..., Caller]:
    """A machine with permissions: caller("conversations.view_dialog", name="shop")."""

    def make(*permissions: str, name: str = "machine") -> Caller:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return Caller(TestClient(), issued.token)

    return make


@pytest.fixture
def api(caller: Callable[..., Caller]) -> Caller:
    """A machine that may do everything."""
    return caller(*EVERYTHING)
