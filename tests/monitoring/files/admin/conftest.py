"""People at the console: an admin who makes rules, an operator who acts, a reader who only looks."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from monitoring.files.models import FileBatch, FileEvent, Rule, WatchedFile
from tests.monitoring.files.rows import Drop, look, rule_make, settle

Account = Callable[..., User]


def _browser(user: User, group: str) -> Client:
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def olga(account: Account) -> Client:
    """Olga makes rules: she is of the group Admin."""
    return _browser(account("olga", is_staff=True), "Admin")


@pytest.fixture
def alice(account: Account) -> Client:
    """Alice operates: she is of the group Operator."""
    return _browser(account("alice", is_staff=True), "Operator")


@pytest.fixture
def bob(account: Account) -> Client:
    """Bob looks: he is of the group Support, and may change nothing."""
    return _browser(account("bob", is_staff=True), "Support")


class World:
    """One of everything: a rule with a batch of which one file has failed."""

    def __init__(self, drop: Drop) -> None:
        self.rule = rule_make(drop)
        for name in ("a.csv", "b.csv"):
            drop.write(name, name)
        (drop.path / "out.csv").symlink_to(drop.outside)
        settle()
        look(self.rule)
        self.batch = FileBatch.objects.get()
        FileEvent.objects.filter(path="a.csv").update(
            outcome="failed",
            reason="It has no header.",
            rejects=[{"line": 1, "text": "<i>", "why": "no"}],
        )
        FileEvent.objects.filter(path="b.csv").update(outcome="done")
        FileBatch.objects.update(done=1, failed=1, state="finished")
        Rule.objects.update(done=1, failed=1)
        self.file = WatchedFile.objects.get(path="a.csv")


@pytest.fixture
def world(db: None, drop: Drop) -> World:
    return World(drop)
