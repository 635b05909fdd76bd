"""A panel with servers, and people at the console."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django.fixtures import Settings

from subscriptions.panel import door
from tests.monitoring.nodes.rows import NL, look
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server
from tests.sandbox.remnawave.hand import PanelHand

__all__ = ["sandbox", "sandbox_server"]

SECRET = "Secret0of0the0panel0Secret0of0the0panel"
Member = Callable[[str, str], Client]
Turn = Callable[[str, timedelta], Any]


@pytest.fixture
def panel(sandbox: Sandbox, settings: Settings) -> Iterator[PanelHand]:
    """The panel of the sandbox, and settings that lead there. It is as fast as the test can."""
    settings.REMNAWAVE_URL = sandbox.panel_url
    settings.REMNAWAVE_API_TOKEN = "token-of-the-panel"
    settings.REMNAWAVE_WEBHOOK_SECRET = SECRET
    settings.PANEL_RATE, settings.PANEL_CONCURRENCY = "100000/s", 8
    settings.PANEL_DIALECT = "auto"
    door.clients_forget()
    yield sandbox.panel
    door.clients_forget()


@pytest.fixture
def turn(sandbox: Sandbox, panel: PanelHand) -> Turn:
    """The first server gets into a state, so long from now by everybody's clock, and is looked at."""
    began = timedelta(0)

    def move(state: str, after: timedelta) -> Any:
        nonlocal began
        sandbox.clock_advance((after - began).total_seconds())
        began = after
        panel.node(str(NL), state=state)
        return look(after)

    return move


@pytest.fixture
def member(db: None) -> Member:
    """A signed-in member of one of the groups of the console: member("olga", "Operator")."""

    def make(name: str, group: str) -> Client:
        user = User.objects.create_user(name, is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def operator(member: Member) -> Client:
    return member("olga", "Operator")


@pytest.fixture
def supporter(member: Member) -> Client:
    return member("sam", "Support")


@pytest.fixture
def admin(member: Member) -> Client:
    return member("anna", "Admin")
