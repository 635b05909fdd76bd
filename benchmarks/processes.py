"""A child process in a session of its own, so that the whole family can be stopped."""

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self


class BenchFailed(RuntimeError):
    """A measurement is void: a process died, a job was lost or ran twice, or nothing moved."""


class Child:
    """One running command. Its output goes to `log`; stop() ends everything it started."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
                user=user,
                group=group_of(user),
                extra_groups=None if user is None else [],
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def require_alive(self) -> None:
        """Raise BenchFailed with the end of the log if the process is gone."""
        if not self.alive():
            raise BenchFailed(f"{self._process.args!r} ended early:\n{self.tail()}")

    def tail(self, lines: int = 25) -> str:
        """Return the end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, *, with_signal: signal.Signals = signal.SIGTERM, patience_s: float = 5) -> None:
        """Ask the leader to end, then kill what is left of its session. Safe to repeat."""
        if self.alive():
            self._process.send_signal(with_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def group_of(user: str | None) -> int | None:
    """The primary group of a user name; None for None."""
    return None if user is None else pwd.getpwnam(user).pw_gid


def wait_until(ready: Callable[[], bool], *, what: str, patience_s: float = 30) -> None:
    """Poll every 20 ms. Raises BenchFailed("<what> ...") when patience is over."""
    deadline = time.monotonic() + patience_s
    while not ready():
        if time.monotonic() > deadline:
            raise BenchFailed(f"{what} did not happen within {patience_s:.0f} s")
        time.sleep(0.02)
