"""The harness's hand on the crowd: a process of its own that holds the clients."""

import json
import os
import resource
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from benchmarks.bench_venv import ROOT
from benchmarks.inbox.board import ACKED, RECEIVED, SENT, STOP, board_made
from benchmarks.processes import BenchFailed, Child, wait_until

_SPARE_FILES = 500
_PATIENCE_S = 180.0  # for an answer; ten thousand handshakes take some time


class Crowd:
    """Starts the process and asks it. Raises BenchFailed when a client cannot connect."""

    def __init__(self, workspace: Path) -> None:
        self.board_path = workspace / "board"
        self.board = board_made(self.board_path)
        self._control = workspace / "crowd.sock"
        self._control.unlink(missing_ok=True)
        self._child = Child(
            [
                *(sys.executable, "-m", "benchmarks.inbox.crowd_process"),
                *(self._control, self.board_path),
            ],
            log=workspace / "crowd.log",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
        )
        wait_until(self._control.exists, what="start of the crowd")
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(self._control))
        self._line.settimeout(_PATIENCE_S)
        self._answers = self._line.makefile("rb")

    @property
    def pid(self) -> int:
        return self._child.pid

    def open(
        self,
        address: tuple[str, int],
        paths: Sequence[str],
        *,
        greeted: bool = False,
        reading: bool = False,
    ) -> float:
        """Connect one client per path; the seconds until all were open.

        greeted: the server begins with a `session` frame. reading: answer each push with a read.
        """
        said = self.ask(
            "open", host=address[0], port=address[1], paths=list(paths), greeted=greeted,
            reading=reading,
        )  # fmt: skip
        return float(said["seconds"])

    def report(self) -> dict[str, Any]:
        """Deliveries per client, what was wrong, and latencies in ms since the last mark()."""
        return self.ask("report")

    def mark(self, *, timing: bool) -> None:
        """Forget the latencies so far; take them from now on or not."""
        self.ask("mark", timing=timing)

    def close(self) -> None:
        """Cut and forget all clients, and clear the board."""
        self.ask("close")
        for counter in (RECEIVED, ACKED, SENT, STOP):
            self.board[counter] = 0

    def ask(self, what: str, **how: Any) -> dict[str, Any]:
        """Any question of CrowdProcess.asked."""
        self._child.require_alive()
        self._line.sendall(json.dumps({"do": what, **how}).encode() + b"\n")
        line = self._answers.readline()
        if not line:
            raise BenchFailed(f"the crowd is gone:\n{self._child.tail()}")
        said: dict[str, Any] = json.loads(line)
        if "failed" in said:
            raise BenchFailed(f"a client could not {what}: {said['failed']}")
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._line.close()
        self._child.stop()


def allow_files(sockets: int) -> None:
    """Let this process and its children have so many sockets. Raises BenchFailed if they may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sockets + _SPARE_FILES
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise BenchFailed(f"{sockets} sockets need {wanted} open files, the limit is {hard}")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
