"""What a simulation is asked for."""

import re
from dataclasses import dataclass


class SimulationFailed(RuntimeError):
    """The simulation itself could not go on; the text says why, and what was open."""


@dataclass(frozen=True, slots=True)
class Options:
    """days: simulated. workers: processes of the pool. kills: workers that get SIGKILL while busy.

    sandbox: the address of one that runs already; empty: one is started.
    """

    days: int = 30
    subscribers: int = 10_000
    seed: int = 1
    has_faults: bool = True
    kills: int = 5
    workers: int = 4
    sandbox: str = ""

    def arguments(self) -> list[str]:
        """The same as options of the command."""
        given = [
            f"--days={self.days}",
            f"--subscribers={self.subscribers}",
            f"--seed={self.seed}",
            f"--kills={self.kills}",
            f"--workers={self.workers}",
            "--faults" if self.has_faults else "--no-faults",
        ]
        return [*given, f"--sandbox={self.sandbox}"] if self.sandbox else given

    def check(self) -> None:
        """Raises SimulationFailed for what makes no sense."""
        if not 1 <= self.days <= 366:
            raise SimulationFailed("--days must be between 1 and 366.")
        if not 10 <= self.subscribers <= 200_000:
            raise SimulationFailed("--subscribers must be between 10 and 200000.")
        if not 1 <= self.workers <= 64 or self.kills < 0:
            raise SimulationFailed("--workers must be between 1 and 64, --kills at least 0.")
        if self.sandbox and not re.fullmatch(r"https?://[^/]+", self.sandbox):
            raise SimulationFailed("--sandbox must be an address such as http://127.0.0.1:8081.")
