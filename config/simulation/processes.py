"""The processes of a simulation: the sandbox, a web process for webhooks, a pool of workers.

All of them are children that end with us, whatever happens.
"""

import ctypes
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import requests
from django.db import connection

from config.run.outside import OUTSIDE, environment_of
from config.simulation.hand import Hand
from config.simulation.options import Options, SimulationFailed

ROOT = Path(__file__).resolve().parents[2]
HERE = "127.0.0.1"
START_S = 240.0
STOP_S = 30.0
POLL_S = 0.05
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

# A month in minutes: what is limited by real time must not be the limit, and what is healed by real
# time must be healed soon. What is kept for days must outlast the month.
QUICK = {
    # Nothing is far away here, so that threads would only wait for each other's turn in Python.
    "WORKER_THREADS": "0",
    "JOB_POCKET": "30ms",  # a step is a burst of short jobs, which all workers shall share
    "JOB_LEASE": "3s",
    "JOB_WATCHDOG": "10s",
    "PANEL_RATE": "5000/s",
    "PANEL_CONCURRENCY": "32",
    "PANEL_TIMEOUT": "1s",
    "PANEL_FULL_SYNC": "12h",
    "TELEGRAM_RATE": "1000",
    "CRYPTOBOT_CONCURRENCY": "32",
    "CRYPTOBOT_POLLS_PER_S": "100",
    "NOTICES_CONCURRENCY": "32",
    "CLEANUP_NOTIFICATION_DAYS": "400",
    "CLEANUP_WEBHOOK_RETENTION_DAYS": "400",
    "JOB_HISTORY_DAYS": "400",
    "JOB_DEAD_DAYS": "400",
    "LIFECYCLE_RETENTION_DAYS": "400",
}
SITE = {"DEBUG": "1", "OPEN_IDENTITY": "1", "LOG_LEVEL": "WARNING"}


class Processes:
    """Usable as a context manager."""

    def __init__(self, options: Options, logs: Path) -> None:
        self._options = options
        self._logs = logs
        self._children: list[subprocess.Popen[str]] = []
        self.port = _free_port()
        self.secret = "s" * 40
        self.hand = Hand(options.sandbox or self._start_sandbox())
        self.pool: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Processes":
        environment = {**os.environ, **SITE, **QUICK, "REMNAWAVE_WEBHOOK_SECRET": self.secret}
        environment |= environment_of(OUTSIDE, self.hand.url)
        environment["REMNAWAVE_WEBHOOK_SECRET"] = self.secret
        environment["RENEW_URL"] = "https://shop.example/renew"
        try:
            self._start("web", ["-m", "config.serve"], environment, PORT=str(self.port))
            self.pool = self._start(
                "worker",
                ["manage.py", "qcluster", "--workers", str(self._options.workers)],
                environment,
                POD_ID="simulation",
                METRICS_PORT="0",
            )
            self._await_web()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End all of them, whatever state they are in."""
        self.hand.close()
        living = [child for child in self._children if child.poll() is None]
        for child in living:
            child.terminate()
        deadline = time.monotonic() + STOP_S
        for child in living:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        for child in self._children:
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()

    def check(self) -> None:
        """Raises SimulationFailed if one of them has ended by itself."""
        for child in self._children:
            if child.poll() is not None:
                raise SimulationFailed(f"A process ended with {child.returncode}: {self.tail()}")

    def kill_busy(self) -> str:
        """SIGKILL to a worker that is at one of our jobs now; says which kind, or nothing."""
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT kind, worker FROM jobs_job WHERE state = 'running'
                AND (kind LIKE 'subscriptions.%%' OR kind LIKE 'payments.%%')
                AND kind <> 'subscriptions.sync_users' ORDER BY priority, seq LIMIT 1"""
            )
            row = cursor.fetchone()
        if row is None or self.pool is None:
            return ""
        kind, worker = row
        pid = int(worker.split(":")[1])
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == self.pool.pid:
                os.kill(pid, signal.SIGKILL)
                return str(kind)
        return ""

    def tail(self) -> str:
        """The last words of each."""
        ends = [
            f"{path.name}: {path.read_text(errors='replace')[-1500:]}"
            for path in sorted(self._logs.glob("*.log"))
        ]
        return "\n".join(ends)

    def _start(
        self, name: str, words: list[str], environment: Mapping[str, str], **more: str
    ) -> "subprocess.Popen[str]":
        with (self._logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, *words],
                cwd=ROOT,
                env={**environment, **more},
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_us,  # noqa: PLW1509 - we have one thread
            )
        self._children.append(child)
        return child

    def _start_sandbox(self) -> str:
        site = f"http://{HERE}:{self.port}"
        environment = {name: value for name, value in os.environ.items() if name != "PORT"}
        environment["CRYPTOPAY_WEBHOOK_URL"] = f"{site}/webhooks/cryptobot/"
        with (self._logs / "sandbox.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.sandbox", "--port", "0", "--stop-with-stdin"],
                cwd=ROOT,
                env=environment,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_us,  # noqa: PLW1509 - we have one thread
            )
        self._children.append(child)
        assert child.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            if not selector.select(START_S):
                raise SimulationFailed("The sandbox does not start.")
        words = child.stdout.readline().split()
        if words[:2] != ["sandbox", "ready"]:
            raise SimulationFailed(f"The sandbox ended at its start: {self.tail()}")
        return words[2]

    def _await_web(self) -> None:
        deadline = time.monotonic() + START_S
        with requests.Session() as http:
            http.trust_env = False
            while time.monotonic() < deadline:
                self.check()
                with suppress(requests.RequestException):
                    if http.get(f"http://{HERE}:{self.port}/ready", timeout=5).ok:
                        return
                time.sleep(POLL_S)
        raise SimulationFailed(f"The web process does not get ready: {self.tail()}")

    @property
    def panel_hook(self) -> str:
        """Where the panel sends its events."""
        return f"http://{HERE}:{self.port}/webhooks/remnawave/"

    @property
    def provider_hook(self) -> str:
        return f"http://{HERE}:{self.port}/webhooks/cryptobot/"


def _die_with_us() -> None:
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])
