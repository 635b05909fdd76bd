"""A whole `make run` (without make), with data and ports of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg

from config import embedded
from config.run.plan import ROOT

T = TypeVar("T")

PATIENCE_S = 90.0
INHERITED = ("PATH", "HOME", "LANG")  # and what coverage needs to follow us


def until(condition: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
    """Ask again and again until the answer is true, and return it."""
    deadline, pause = time.monotonic() + patience_s, threading.Event()
    while not (answer := condition()):
        assert time.monotonic() < deadline, what
        pause.wait(0.05)
    return answer


def is_alive(process: psutil.Process) -> bool:
    """False for the dead whom nobody has buried yet, too."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Running:
    """Started at once; `ready` waits for its commands, `close` clears everything away."""

    def __init__(self, **chosen: str) -> None:
        # Not under a directory closed to others: the servers of root are not root.
        self.scratch = Path(tempfile.mkdtemp(prefix="switchboard-run-"))
        self.scratch.chmod(0o755)
        self.data_dir = self.scratch / "var"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name in INHERITED or name.startswith("COVERAGE_")
        }
        self.environment |= {"DATA_DIR": str(self.data_dir), "PORT": "0", **chosen}
        self.output = self.scratch / "output"
        self.start()

    def start(self) -> None:
        """Once more after its end, too: on the same data, with a fresh output."""
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.run"],
                cwd=ROOT, env=self.environment, stdout=output, stderr=output,
            )  # fmt: skip

    @property
    def text(self) -> str:
        return self.output.read_text()

    def ready(self) -> "Running":
        """Return when it has printed its last command."""
        until(lambda: self.commands or self.process.poll() is not None, self.text)
        assert self.process.poll() is None, self.text
        return self

    @property
    def commands(self) -> list[str]:
        """Those to try, as printed; none before all are. The last one is of the demo."""
        found = re.findall(r"^\d\. .*\n\n(.+)\n\n", self.text, re.MULTILINE)
        return found if len(found) == (4 if self.environment.get("DEMO") == "0" else 5) else []

    def paste(self, command: str) -> str:
        """Run a printed command in a shell, elsewhere."""
        ran = subprocess.run(
            ["sh", "-c", command], cwd=os.sep, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def python(
        self, *arguments: str, typed: str = "", **chosen: str
    ) -> subprocess.CompletedProcess[str]:
        """Another command of the project on the same data."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT, env={**self.environment, **chosen}, input=typed,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def found(self, pattern: str) -> Sequence[str]:
        """The groups of a pattern in what it printed."""
        match = re.search(pattern, self.text)
        assert match, self.text
        return match.groups()

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(embedded.database_url(self.data_dir)) as connection:
            return connection.execute(query).fetchall()

    def processes(self) -> list[psutil.Process]:
        """Everything that belongs to it: by descent, or by its data in command line or environment.

        The pool's children write their titles over both, and the servers descend from nobody.
        """
        mark, found = str(self.data_dir), []
        with suppress(psutil.NoSuchProcess):
            found += psutil.Process(self.process.pid).children(recursive=True)
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), *process.environ().values()]
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            if process not in found and any(mark in word for word in words):
                found.append(process)
        return list(filter(is_alive, found))

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait. Returns the status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.end(signal.SIGTERM)
        embedded.stop(self.data_dir)
        shutil.rmtree(self.scratch)
