"""How much of the machine others took while we measured: without it a figure cannot be judged."""

import os
import time
from pathlib import Path

import psutil

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Noise:
    """Measures from its creation to `cores()`, which must be asked before our children end."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._busy_s = _machine_busy_s()
        self._own_s = _own_busy_s()

    def cores(self) -> float:
        """Cores that were busy for others, stolen by the hypervisor included; never below 0.

        Exact to some hundredths; children that ended meanwhile count as others.
        """
        busy_s = _machine_busy_s() - self._busy_s
        own_s = sum(now_s - self._own_s.get(pid, 0.0) for pid, now_s in _own_busy_s().items())
        return max(0.0, (busy_s - own_s) / (time.monotonic() - self._at))


def _machine_busy_s() -> float:
    # "cpu user nice system idle iowait irq softirq steal guest guest_nice": proc_stat(5)
    numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = numbers
    return (user + nice + system + irq + softirq + steal) / _TICKS_PER_S


def _own_busy_s() -> dict[int, float]:
    """By process: one that ends must not take its past out of the sum."""
    me = psutil.Process()
    found: dict[int, float] = {}
    for process in (me, *me.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # it ended between the listing and the question
            continue
        found[process.pid] = times.user + times.system
    return found
