"""Doing things at the same moment, each on a connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")

LONG_S = 30.0  # nobody waits longer; who does is stuck


def in_thread(act: Callable[[], T]) -> T:
    """Do it on another connection, to its end, and say what came of it."""
    return run_together([act])[0]


def run_together(acts: Sequence[Callable[[], T]]) -> list[T]:
    """Do all at once, each in a thread that starts when all are ready. Raises what one of them raised."""
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        try:
            connections["default"].ensure_connection()
            ready.wait(LONG_S)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(LONG_S) for future in [pool.submit(run, act) for act in acts]]
