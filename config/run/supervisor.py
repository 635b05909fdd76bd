"""Runs processes side by side: passes their lines on, starts them again, stops them together.

A process that ends by itself is started again, after a pause that grows; one that ends FAILURES
times in a row soon after its start ends the run. Children die with us, even if we are killed.
One thread, so that a child may be forked at any time.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FAILURES = 3
SOON_S = 10.0  # an end within this time after a start is a failure to start
PAUSES_S = (0.5, 1.0, 3.0)
TICK_S = 0.2
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class RunEnded(Exception):
    """A process does not stay up; the message says which, and how it ended."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


@dataclass(slots=True)
class Child:
    """A process that lives. command is a line for a shell; a task ends by itself."""

    name: str
    command: str
    environment: Mapping[str, str]
    is_task: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0  # when it is time to start again
    failures: int = 0
    unfinished: bytes = b""  # the line that has not ended yet
    status: int | None = None  # of a task that has ended

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """write(name, line) gets each line of each child, say(sentence) our own remarks."""

    def __init__(
        self, root: Path, *, write: Callable[[str, str], None], say: Callable[[str], None]
    ) -> None:
        self.root = root
        self.children: list[Child] = []
        self._write = write
        self._say = say
        self._selector = selectors.DefaultSelector()

    def start(
        self, name: str, command: str, environment: Mapping[str, str], *, is_task: bool = False
    ) -> Child:
        """Start a process, and keep it running unless it is a task."""
        child = Child(name, command, environment, is_task)
        self.children.append(child)
        self._launch(child)
        return child

    def tick(self, wait_s: float = TICK_S) -> None:
        """Pass lines on and see to ended processes, for about so long. Raises RunEnded."""
        self._read_all(wait_s)
        for child in self.children:
            if child.process is None:
                if not child.is_task and time.monotonic() >= child.start_at:
                    self._launch(child)
            elif not child.is_running:
                self._note_end(child)

    def stop(self, patience_s: float) -> list[str]:
        """SIGTERM to all, SIGKILL to what is left after the patience. Returns who was killed."""
        running = [child for child in self.children if child.process is not None]
        for child in running:
            assert child.process is not None
            child.process.terminate()
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and any(child.is_running for child in running):
            self._read_all(TICK_S)
        killed = [child.name for child in running if child.is_running]
        for child in running:
            self._bury(child)
        return killed

    def _launch(self, child: Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - a line of our Procfile
            ["/bin/sh", "-c", f"exec {child.command}"],
            cwd=self.root,
            env=dict(child.environment),
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 - we have one thread
            start_new_session=True,  # Ctrl-C in the terminal reaches us alone
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        child.started_at = time.monotonic()
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _read_all(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            self._read(key.data)

    def _read(self, child: Child) -> bool:
        """Pass on what is there. False: there is nothing more for now."""
        assert child.process is not None
        assert child.process.stdout is not None
        try:
            piece = os.read(child.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return False
        if not piece:
            with suppress(KeyError):
                self._selector.unregister(child.process.stdout)
            return False
        *lines, child.unfinished = (child.unfinished + piece).split(b"\n")
        for line in lines:
            self._write(child.name, line.decode(errors="replace"))
        return True

    def _note_end(self, child: Child) -> None:
        assert child.process is not None
        status = child.process.returncode
        lived_s = time.monotonic() - child.started_at
        self._bury(child)
        if child.is_task:
            child.status = status
            return
        child.failures = child.failures + 1 if lived_s < SOON_S else 1
        if child.failures >= FAILURES:
            raise RunEnded(child.name, f"{child.name} {_how(status)}, {FAILURES} times in a row")
        pause_s = PAUSES_S[child.failures - 1]
        child.start_at = time.monotonic() + pause_s
        self._say(f"{child.name} {_how(status)}; it starts again in {pause_s:g} s")

    def _bury(self, child: Child) -> None:
        """Read its last lines, and end what it may have left in its session."""
        assert child.process is not None
        assert child.process.stdout is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        while self._read(child):
            continue
        if child.unfinished:
            self._write(child.name, child.unfinished.decode(errors="replace"))
        with suppress(KeyError):
            self._selector.unregister(child.process.stdout)
        child.process.stdout.close()
        child.process, child.unfinished = None, b""


def _how(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"


def _die_with_parent() -> Callable[[], None] | None:
    """What a child runs before its program: SIGTERM reaches it when we are gone. Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask
