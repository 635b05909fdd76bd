"""Runs one peer in its own virtual environment; see Runner in benchmarks.harness."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.bench_venv import ROOT, BenchVenv
from benchmarks.contenders import Peer
from benchmarks.processes import BenchFailed, Child
from benchmarks.servers import DATABASE, DATABASE_USER, Servers
from benchmarks.tally import VARIABLE

PEERS = ROOT / "benchmarks" / "peers"
_Saved = list[tuple[bytes, bytes]]


class PeerRunner:
    """One peer on our servers; tuned, or as it ships."""

    peer = True

    def __init__(
        self, peer: Peer, *, venv: BenchVenv, servers: Servers, workspace: Path, tuned: bool = True
    ) -> None:
        self._peer = peer
        self._venv = venv
        self._servers = servers
        self._workspace = workspace
        self._tuned = tuned
        self._filled_jobs = 0
        self._saved: _Saved = []
        self._schema_made = peer.in_redis
        self.name = peer.name
        self.promise = peer.promise
        self.settings = peer.settings
        self.has_bulk = peer.has_bulk
        self.pilot_jobs = peer.pilot_jobs
        self.first_of_all = 0

    def versions(self) -> dict[str, str]:
        return self._venv.versions(self._peer.packages)

    def fill(self, jobs: int, *, bulk: bool) -> float:
        self._empty()
        said = self._run("-P", PEERS / "enqueue.py", "bulk" if bulk else "one", str(jobs))
        self._filled_jobs = jobs
        if self._peer.in_redis:
            self._saved = self._copy_redis()
        return float(json.loads(said)["seconds"])

    def refill(self) -> None:
        """Redis: restore a copy of every key, byte for byte. PostgreSQL: enqueue again."""
        if not self._peer.in_redis:
            self.fill(self._filled_jobs, bulk=False)
            return
        self._empty()
        with self._servers.redis() as client:
            for key, dumped in self._saved:
                client.restore(key, 0, dumped)

    def pending(self) -> int:
        return self._peer.left(self._servers)

    @contextlib.contextmanager
    def start(self, workers: int, tally: Path) -> Iterator[Sequence[Child]]:
        command = self._peer.tuned if self._tuned else self._peer.shipped
        env = self._env() | {VARIABLE: str(tally), "BENCH_WORKERS": str(workers)}
        with contextlib.ExitStack() as stack:
            yield [
                stack.enter_context(
                    Child(
                        [self._venv.command(argv[0]), *argv[1:]],
                        log=self._workspace / f"{self._peer.folder}.log",
                        env=env,
                        cwd=self._folder,
                    )
                )
                for argv in command.argvs(workers)
            ]

    @property
    def _folder(self) -> Path:
        return PEERS / self._peer.folder

    def _env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self._folder}",
            "BENCH_REDIS_URL": self._servers.redis_url,
            "BENCH_DATABASE": DATABASE,
            "BENCH_DATABASE_USER": DATABASE_USER,
            "BENCH_DATABASE_HOST": str(self._servers.postgres_socket_dir),
            "BENCH_TUNED": "1" if self._tuned else "0",
            **self._peer.env,
            **(self._peer.tuned_env if self._tuned else {}),
        }

    def _run(self, *arguments: str | Path) -> str:
        done = subprocess.run(
            [self._venv.command("python"), *arguments],
            env=self._env(),
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchFailed(f"{self.name}: {arguments!r} failed:\n{done.stderr}")
        return done.stdout

    def _empty(self) -> None:
        with self._servers.redis() as client:
            client.flushall()
        if self._peer.in_redis:
            return
        if not self._schema_made:
            self._run("-m", "django", "migrate", "--verbosity", "0", "--settings", "settings")
            self._schema_made = True
        with self._servers.postgres() as connection:
            connection.execute("TRUNCATE django_q_ormq, django_q_task")

    def _copy_redis(self) -> _Saved:
        with self._servers.redis() as client:
            return [
                (key, client.execute_command("DUMP", key, NEVER_DECODE=True))
                for key in client.scan_iter(count=1000)
            ]
