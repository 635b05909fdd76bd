"""Those who go on writing: single inserts, committed, on time, whatever the table is doing."""

import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from benchmarks.processes import BenchFailed

CONNECTIONS = 4


class Writers:
    """Inserts at a steady rate over four connections, between `start` and `stop`.

    The time of one counts from the moment when it was due, so that who is held up hides nothing.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection], statement: str, rate: float):
        self._connect = connect
        self._statement = statement
        self._every = CONNECTIONS / rate
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(CONNECTIONS)
        self._waits: list[Any] = []

    def __enter__(self) -> "Writers":
        began = time.perf_counter() + 0.1
        self._waits = [
            self._pool.submit(self._write, began + number * self._every / CONNECTIONS)
            for number in range(CONNECTIONS)
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pool.shutdown()

    def figures(self) -> dict[str, float]:
        """Stop; milliseconds of all of them."""
        self.__exit__()
        waits = sorted(wait * 1000 for each in self._waits for wait in each.result())
        if len(waits) < 100:
            raise BenchFailed(f"only {len(waits)} rows were written: that says nothing")
        return {
            "written": len(waits),
            "p50_ms": statistics.median(waits),
            "p99_ms": waits[round((len(waits) - 1) * 0.99)],
            "max_ms": waits[-1],
        }

    def _write(self, due: float) -> list[float]:
        waits = []
        with self._connect() as connection:
            while not self._over.is_set():
                self._over.wait(max(0.0, due - time.perf_counter()))
                connection.execute(self._statement)
                waits.append(time.perf_counter() - due)
                due += self._every
        return waits
