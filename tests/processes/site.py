"""One scratch site: servers of its own, a migrated database, a process that enqueues, clusters."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis
from django.conf import settings

from config import embedded
from tests.processes.cluster import Cluster

PROJECT = Path(__file__).resolve().parents[2]
# Short spans, so that what is healed by time is healed soon.
QUICK = {
    "JOB_LEASE": "3s",
    "JOB_WATCHDOG": "6s",
    "WORKER_GRACE": "4s",
    "WORKER_CONCURRENCY": "2",
    "WORKER_THREADS": "4",
}
APP = "tests.processes.effects.apps.EffectsConfig"


class CallFailed(Exception):
    """What the caller's process was asked to do raised an error."""


class Site:
    """Started by `start`, gone with everything it started after `close`."""

    def __init__(self) -> None:
        # Not under a directory closed to others: the servers of root are not root.
        self.scratch = Path(tempfile.mkdtemp(prefix="switchboard-processes-"))
        self.scratch.chmod(0o755)
        self.data_dir = self.scratch / "var"
        inherited = {k: v for k, v in os.environ.items() if not k.endswith("_URL")}
        self.environment = {
            **inherited,
            **QUICK,
            "DATA_DIR": str(self.data_dir),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SWITCHBOARD_EXTRA_APPS": APP,
            "DEBUG": "1",
            "LOG_LEVEL": "INFO",
            "REDIS_PREFIX": "switchboard",
            "SECRET_KEY": settings.SECRET_KEY,  # so that a test can seal what a process opens
        }
        self.clusters: list[Cluster] = []
        self.known_violations: list[str] = []
        self._caller: subprocess.Popen[str] | None = None
        self._connection: psycopg.Connection[Any] | None = None

    def start(self) -> None:
        embedded.ensure(self.data_dir, postgres=True, redis=True)
        self.manage("migrate", "--verbosity", "0")
        self.call("forget_schedules")

    def close(self) -> None:
        for cluster in self.clusters:
            cluster.end()
        if self._connection is not None:
            self._connection.close()
        if self._caller is not None:
            self._hang_up(self._caller)
        embedded.stop(self.data_dir)
        shutil.rmtree(self.scratch)

    def manage(self, *words: str, **environment: str) -> str:
        """Run a management command to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT, env={**self.environment, **environment}, text=True,
            check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def cluster(self, name: str = "a", workers: int = 2, **environment: str) -> Cluster:
        """Start a qcluster and return when all its processes are there."""
        log = self.scratch / f"{name}-{len(self.clusters)}.log"
        environment = {**self.environment, "POD_ID": name, **environment}
        self.clusters.append(Cluster(name, workers, log, PROJECT, environment))
        return self.clusters[-1].wait_ready()

    def call(self, act: str, *args: Any, **kwargs: Any) -> Any:
        """Have a function of tests/processes/acts.py run in the caller's process."""
        caller = self._caller
        if caller is None or caller.poll() is not None:
            caller = self._caller = self.new_caller()
        return self.ask(caller, act, *args, **kwargs)

    def new_caller(self) -> "subprocess.Popen[str]":
        """Another process that enqueues; end it with `hang_up`."""
        caller = subprocess.Popen(
            [sys.executable, "-m", "tests.processes.caller"],
            cwd=PROJECT, env={**self.environment, "LOG_LEVEL": "CRITICAL"}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert caller.stdout
        assert caller.stdout.readline() == "{}\n"
        return caller

    @staticmethod
    def ask(caller: "subprocess.Popen[str]", act: str, *args: Any, **kwargs: Any) -> Any:
        """Say it to one caller and wait for its answer. Raises CallFailed."""
        assert caller.stdin
        assert caller.stdout
        caller.stdin.write(json.dumps([act, args, kwargs]) + "\n")
        caller.stdin.flush()
        reply = json.loads(caller.stdout.readline())
        if "error" in reply:
            raise CallFailed(f"{reply['error']}: {reply['reason']}")
        return reply["value"]

    def hang_up(self, caller: "subprocess.Popen[str]") -> None:
        self._hang_up(caller)

    @staticmethod
    def _hang_up(caller: "subprocess.Popen[str]") -> None:
        assert caller.stdin
        assert caller.stdout
        caller.stdin.close()
        caller.wait()
        caller.stdout.close()

    def rows(self, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query. A connection that Postgres dropped is made anew, once."""
        try:
            return self._rows(query, params)
        except psycopg.OperationalError:
            return self._rows(query, params)

    def _rows(self, query: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = psycopg.connect(
                embedded.database_url(self.data_dir), autocommit=True, application_name="checker"
            )
        try:
            cursor = self._connection.execute(query, params or None)
            return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError:
            self._connection.close()
            self._connection = None
            raise

    def value(self, query: str, params: Sequence[Any] = ()) -> Any:
        """The first value of the first row."""
        found = self.rows(query, params)
        return found[0][0] if found else None

    @contextmanager
    def without_redis(self) -> Iterator[None]:
        """Redis is gone for the time of the block."""
        embedded.stop_redis(self.data_dir)
        try:
            yield
        finally:
            embedded.start_redis(self.data_dir)

    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(embedded.redis_url(self.data_dir), decode_responses=True)
