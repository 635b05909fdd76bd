"""Who makes rules, and one of everything."""

import pytest
from django.test import Client

from monitoring.files.models import FileBatch, FileEvent, Rule, WatchedFile
from tests.console import Member
from tests.monitoring.files.rows import Drop, look, rule_make, settle


@pytest.fixture
def olga(member: Member) -> Client:
    """Olga makes rules: she is of the group Admin."""
    return member("olga", "Admin")


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
