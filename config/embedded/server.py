"""One server as a child of the keeper: started, asked whether it answers, revived, stopped."""

import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from config.embedded.account import Account, program_environment
from config.embedded.errors import ServersUnavailable
from config.embedded.layout import Layout

logger = logging.getLogger(__name__)

STOP_PATIENCE_S = 20.0  # a fast shutdown writes a checkpoint first
KILL_PATIENCE_S = 5.0
LOOK_AGAIN_S = 0.1
BACKOFF_S = (0.1, 0.3, 1.0, 3.0)  # before the 1st, 2nd, ... start after an exit; the last repeats
HOPELESS_AFTER = 3  # exits in a row without an answer
LONGEST_LOG_BYTES = 20_000_000
LOG_TAIL_BYTES = 2_000
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Server(ABC):
    """A supervised server. Not thread-safe: the keeper's only thread owns it."""

    name: str  # of the program, as the kernel shows it
    stop_signals: tuple[signal.Signals, ...]  # politely first, each with its patience

    def __init__(self, layout: Layout, account: Account) -> None:
        self.layout = layout
        self.account = account
        self.is_wanted = False
        self.is_held = False
        self.is_ready = False
        self.failure: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._exits_in_a_row = 0
        self._start_at = 0.0

    @property
    @abstractmethod
    def directory(self) -> Path:
        """Where the server works: its current directory."""

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """Where the server writes its process id, in the first line."""

    @property
    @abstractmethod
    def log(self) -> Path: ...

    @abstractmethod
    def _prepare(self) -> list[str]:
        """Make files ready and return the command. Raises ServersUnavailable, OSError."""

    @abstractmethod
    def _answers(self) -> bool:
        """Say whether the started process takes connections."""

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_settled(self) -> bool:
        """Ready, or away on purpose: nobody waits for it."""
        return self.is_ready or self.is_held

    def want(self) -> None:
        """Have the server run from now on. A new wish tries at once what failed before."""
        self.is_wanted = True
        self.failure = None
        self._exits_in_a_row, self._start_at = 0, 0.0
        self.tick()

    def tick(self) -> None:
        """Notice an exit, start again when it is time, notice readiness. Cheap: call it often."""
        if self._process is not None and self._process.poll() is not None:
            self._note_exit(self._process)
        if self._process is None and self.is_wanted and not self.is_held:
            if time.monotonic() >= self._start_at:
                self._start()
        elif self._process is not None and not self.is_ready and self._answers():
            logger.info("%s %d answers", self.name, self._process.pid)
            self.is_ready, self.failure, self._exits_in_a_row = True, None, 0

    def signal_stop(self) -> None:
        """Ask for a stop without waiting, so that several servers stop at the same time."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.stop_signals[0])

    def stop(self, *signals: signal.Signals) -> None:
        """Stop the server and wait until it is gone. It stays wanted. Safe to repeat."""
        self.is_ready = False
        if self._process is None:
            return
        for each, patience_s in _steps(signals or self.stop_signals):
            self._process.send_signal(each)  # does nothing to a process that has ended
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
                break
        logger.info("%s %d stopped", self.name, self._process.pid)
        self._process = None

    def clear_leftovers(self) -> None:
        """Stop what an earlier keeper, or a crash, left running on this directory."""
        left = self._left_running()
        for step, (each, patience_s) in enumerate(_steps(self.stop_signals)):
            if not left:
                return
            logger.warning("%s left running: %s", self.name, [process.pid for process in left])
            for process in left:
                # The polite signal is for the first process: to its children it may mean another
                # thing, and they follow it.
                if step > 0 or process.pid == self._recorded_pid():
                    with suppress(psutil.NoSuchProcess):
                        process.send_signal(each)
            deadline = time.monotonic() + patience_s
            while left and time.monotonic() < deadline:
                psutil.wait_procs(left, timeout=LOOK_AGAIN_S)
                left = self._left_running()

    def _left_running(self) -> list[psutil.Process]:
        """Return processes by program and directory. Ended ones that nobody reaped have neither."""
        return [
            process
            for process in psutil.process_iter(["name", "cwd"])
            if process.info["name"] == self.name and process.info["cwd"] == str(self.directory)
        ]

    def _pid_file_lines(self) -> list[str]:
        try:
            return self.pid_file.read_text().splitlines()
        except FileNotFoundError:
            return []

    def _recorded_pid(self) -> int | None:
        lines = self._pid_file_lines()
        return int(lines[0]) if lines else None

    def _start(self) -> None:
        try:
            self.clear_leftovers()
            command = self._prepare()
            trim_log(self.log)
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 the wheel's program
                    command,
                    cwd=self.directory,
                    env=program_environment(),
                    preexec_fn=_die_with_parent(self.stop_signals[0]),  # noqa: PLW1509 one thread
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    **self.account.start_arguments(),
                )
            logger.info("%s %d started", self.name, self._process.pid)
        except (ServersUnavailable, OSError, subprocess.SubprocessError) as exc:
            self.failure = str(exc)
            self._start_at = time.monotonic() + BACKOFF_S[-1]
            logger.warning("%s cannot start, trying again: %s", self.name, exc)

    def _note_exit(self, process: subprocess.Popen[bytes]) -> None:
        pause_s = BACKOFF_S[min(self._exits_in_a_row, len(BACKOFF_S) - 1)]
        logger.warning(
            "%s %d ended with code %d, next start in %.1f s",
            *(self.name, process.pid, process.returncode, pause_s),
        )
        self._process, self.is_ready = None, False
        self._exits_in_a_row += 1
        self._start_at = time.monotonic() + pause_s
        if self._exits_in_a_row >= HOPELESS_AFTER:
            self.failure = f"{self.name} does not start. The end of {self.log}:\n{tail(self.log)}"


def trim_log(path: Path) -> None:
    """Move a log that has grown too long aside, while its writers (in append mode) go on."""
    if path.exists() and path.stat().st_size > LONGEST_LOG_BYTES:
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)


def tail(path: Path) -> str:
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        return log.read().decode(errors="replace").strip()


def _steps(signals: tuple[signal.Signals, ...]) -> list[tuple[signal.Signals, float]]:
    """Each signal with its patience in seconds; SIGKILL comes last."""
    hard = [(signal.SIGKILL, KILL_PATIENCE_S)]
    first, *others = signals
    return [(first, STOP_PATIENCE_S), *((each, KILL_PATIENCE_S) for each in others), *hard]


def _die_with_parent(by: signal.Signals) -> Callable[[], None] | None:
    """What a child runs before its program, so that a keeper's SIGKILL leaves no orphan."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    keeper = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(by))
        if os.getppid() != keeper:  # it died before we asked
            os.kill(os.getpid(), signal.SIGKILL)

    return ask
