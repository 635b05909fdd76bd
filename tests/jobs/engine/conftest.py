"""A worker in the thread of the test: real lanes, real rows, no processes."""

import threading
from collections.abc import Callable

import pytest
from django.conf import settings

from jobs.engine.lane import Lane

Work = Callable[..., int]


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
        return total

    return run
