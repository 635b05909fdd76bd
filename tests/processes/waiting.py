"""Waiting for what must come true, without guessing how long it takes."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0  # the machine may be loaded; no test measures time by it
_never = threading.Event()


def until(condition: Callable[[], T], what: str, within_s: float = PATIENCE_S) -> T:
    """Ask again and again until the answer is true, and return it."""
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        _never.wait(0.03)
    return answer
