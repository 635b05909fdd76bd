"""Callers with the permissions that a test wants."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from config.accounts import token_issue
from jobs.remote import leases, waiting
from tests.jobs.api.caller import EVERYTHING, Caller

MakeCaller = Callable[..., Caller]


@pytest.fixture
def caller(account: Callable[..., User]) -> MakeCaller:
    """A machine with a token: caller("jobs.lease_job", name="worker")."""

    def make(*permissions: str, name: str = "machine") -> Caller:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return Caller(issued.token)

    return make


@pytest.fixture
def api(caller: MakeCaller) -> Caller:
    """A machine that may do everything."""
    return caller(*EVERYTHING)


@pytest.fixture(autouse=True)
def own_upkeep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The upkeep of another test counts not against the one per second of this one."""
    monkeypatch.setattr(leases, "_kept_at", 0.0)
    monkeypatch.setattr(leases, "UPKEEP_S", 0.0)


@pytest.fixture
def waiting_room(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[waiting.WaitingRoom]:
    """The place where callers wait; its thread and connections end with the test."""
    yield waiting.room
    waiting.room.close()
    waiting.room.is_draining = False
