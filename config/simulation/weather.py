"""Bad luck: services that fail in every way of their contracts, and workers that are killed."""

from collections import Counter
from random import Random
from typing import Any

from config.simulation.hand import Hand
from config.simulation.processes import Processes

A_DAY = 4  # faults
# Times are small: a step is short in real time, and what fails is tried again in the next one.
FAULTS: tuple[dict[str, Any], ...] = (
    {"service": "remnawave", "kind": "status", "status": 503, "times": 6},
    {"service": "remnawave", "kind": "rate_limit", "retry_after": 1, "times": 4},
    {"service": "remnawave", "kind": "latency", "method": "users.update", "latency_ms": 1300, "times": 2},
    {"service": "remnawave", "kind": "cut_before", "times": 4},
    {"service": "remnawave", "kind": "cut_after", "times": 4},
    {"service": "remnawave", "kind": "cut_after", "method": "users.update", "times": 2},
    {"service": "remnawave", "kind": "html_502", "times": 3},
    {"service": "telegram", "kind": "status", "status": 500, "times": 4},
    {"service": "telegram", "kind": "rate_limit", "retry_after": 1, "times": 1},
    {"service": "telegram", "kind": "cut_after", "times": 1},
    {"service": "telegram", "kind": "cut_before", "times": 2},
    {"service": "cryptopay", "kind": "status", "status": 500, "times": 4},
    {"service": "cryptopay", "kind": "cut_after", "method": "createInvoice", "times": 2},
    {"service": "cryptopay", "kind": "html_502", "times": 3},
    {"service": "cryptopay", "kind": "rate_limit", "retry_after": 1, "times": 2},
)  # fmt: skip


class Weather:
    """struck: how often each kind of fault has struck. killed: workers, by what they were at."""

    def __init__(
        self, processes: Processes, draw: Random, *, has_faults: bool, kills: int, days: int
    ) -> None:
        self._processes, self._draw, self._has_faults = processes, draw, has_faults
        self._kill_at = sorted(draw.uniform(0, days * 24) for _ in range(kills))
        self._ordered = False
        self.struck: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()

    @property
    def _hand(self) -> Hand:
        return self._processes.hand

    def turn(self, hour: float) -> None:
        """The weather of the next step; hour counts from the beginning."""
        self.clear()
        if self._has_faults and self._draw.random() < A_DAY / 24:
            self._hand.fault(**self._draw.choice(FAULTS))
            self._ordered = True
        self._hour = hour

    def strike(self) -> None:
        """Kill a worker, if it is time for that and one is busy."""
        if self._kill_at and self._kill_at[0] <= self._hour:
            kind = self._processes.kill_busy()
            if kind:
                del self._kill_at[0]
                self.killed[kind] += 1

    def clear(self) -> None:
        """Fair weather."""
        if self._ordered:
            for fault in self._hand.faults_end():
                name = f"{fault['service']} {fault['kind']}"
                self.struck[name] += int(fault["struck"])
            self._ordered = False
