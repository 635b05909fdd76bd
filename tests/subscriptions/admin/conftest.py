"""People at the console: an admin, an operator who may act, and a supporter who may only look."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django.fixtures import Settings

from subscriptions.panel.door import clients_forget
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server
from tests.sandbox.remnawave.hand import PanelHand

__all__ = ["sandbox", "sandbox_server"]

Member = Callable[[str, str], Client]


@pytest.fixture
def panel(sandbox: Sandbox, settings: Settings) -> Iterator[PanelHand]:
    """The panel; its own sweeps run when it is told to."""
    settings.REMNAWAVE_URL = sandbox.panel_url
    settings.REMNAWAVE_API_TOKEN = "tests-panel"
    settings.PANEL_RATE = "10000/s"
    sandbox.panel.settings(expiry_every_s=1e7, limited_every_s=1e7, bulk_delay_s=0)
    clients_forget()
    yield sandbox.panel
    clients_forget()


@pytest.fixture(autouse=True)
def _nothing_kept(clean_redis: None) -> None:
    """Boards and counts are kept for a minute; each test sees its own."""


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
