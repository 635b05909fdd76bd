"""A real `manage.py qcluster` in a session of its own, and who is who among its processes."""

import ctypes
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.processes.waiting import until

_PR_SET_PDEATHSIG = 1  # Linux, prctl(2)
_prctl = ctypes.CDLL(None).prctl


def _die_with_us() -> None:
    """A test run that is killed leaves no cluster behind."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Cluster:
    """Starts at once. Its session id is the pid of its parent, whatever dies later."""

    def __init__(
        self, name: str, workers: int, log: Path, project: Path, environment: dict[str, str]
    ) -> None:
        self.name = name
        self.workers = workers
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "qcluster", "--workers", str(workers)],
                cwd=project, env=environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                preexec_fn=_die_with_us,  # noqa: PLW1509 - one call of the kernel
            )  # fmt: skip
        self.pid = self.process.pid

    def wait_ready(self) -> "Cluster":
        """Return when sentinel, pusher, monitor and all workers are there."""
        until(self.is_whole, f"{self.name} is whole; {self.tail()}")
        return self

    def is_whole(self) -> bool:
        roles = self.roles()
        return (
            len(roles.get("worker", [])) == self.workers
            and len(roles.get("pusher", [])) == len(roles.get("monitor", [])) == 1
        )

    def roles(self) -> dict[str, list[int]]:
        """{"parent", "sentinel", "worker", "pusher", "monitor", "quarantine": pids} of what lives now."""
        found: dict[str, list[int]] = {}
        for process in self.living():
            try:
                role = self._role(process)
            except psutil.NoSuchProcess:
                continue
            found.setdefault(role, []).append(process.pid)
        return found

    def _role(self, process: psutil.Process) -> str:
        if process.pid == self.pid:
            return "parent"
        title = " ".join(process.cmdline())
        for role in ("worker", "pusher", "monitor", "quarantine"):
            if title.startswith(f"qcluster Process-{role}"):
                return role
        return "sentinel" if process.ppid() == self.pid else "newborn"

    def keepers(self) -> dict[str, list[int]]:
        """Who is there besides those that run jobs, which come and go without harm."""
        come_and_go = {"worker", "quarantine", "newborn"}
        return {role: pids for role, pids in self.roles().items() if role not in come_and_go}

    def pid_of(self, role: str) -> int:
        """The pid of the one process in that role, waiting until there is one."""
        return until(lambda: self.roles().get(role, []), f"{self.name} has a {role}")[0]

    def living(self) -> list[psutil.Process]:
        """Every process of its session that is not dead, orphans too."""
        found = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue
        return found

    def kill(self, role: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to the process in that role. Returns its pid."""
        pid = self.pid_of(role)
        os.kill(pid, number)
        return pid

    def signal_all(self, number: int) -> None:
        """Send a signal to every process of it, the parent first."""
        for process in sorted(self.living(), key=lambda each: each.pid):
            os.kill(process.pid, number)

    def stop(self, within_s: float = 60.0) -> int:
        """SIGTERM to the parent; wait. Returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def end(self) -> None:
        """Leave nothing of it, whatever state it is in."""
        while left := self.living():
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self.process.wait()
        self.process.wait()

    def assert_gone(self, within_s: float = 10.0) -> None:
        """Nothing that it started lives on."""
        until(lambda: not self.living(), f"{self.name} leaves no process", within_s)

    def lines(self, message: str = "") -> list[dict[str, Any]]:
        """Its log lines that contain a text, oldest first."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if message in line and line.startswith("{")]

    def tail(self) -> str:
        return self.log.read_text()[-2000:]
