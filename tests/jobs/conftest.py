"""Kinds for one test, and a clean memory of what a process keeps beside the database."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from jobs import registry
from jobs.engine.lane import Lane
from jobs.registry import JobKind, job

Declare = Callable[..., JobKind[Any]]
Work = Callable[..., int]


def _nothing(n: int = 0) -> None:
    """Do nothing."""


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Declare a kind for this test only: declare(function, name="tests.kind", retry=...)."""
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))

    def make(
        function: Callable[..., Any] = _nothing, *, name: str = "tests.kind", **options: Any
    ) -> JobKind[Any]:
        return job(name, **options)(function)

    return make


@pytest.fixture
def stopping() -> threading.Event:
    """Set it to tell the lanes that they lease no more."""
    return threading.Event()


@pytest.fixture
def lane() -> Lane:
    """A lane over the queues of our own workers."""
    return Lane("main", "w1", list(settings.JOBS["queues"]), None)


@pytest.fixture
def work(lane: Lane, stopping: threading.Event) -> Work:
    """Let the lane take turns until nothing is due: work(). Returns how many jobs were leased."""

    def run(turns: int = 100) -> int:
        total = 0
        for _ in range(turns):
            found = lane.turn(stopping)
            if not found:
                break
            total += found
        lane.settle()
        return total

    return run
