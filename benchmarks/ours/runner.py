"""Runs our own pool on the servers of the bench, as in production: rows, fences, history, logs."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from benchmarks.bench_venv import ROOT
from benchmarks.ours.fill import hot_jobs
from benchmarks.processes import BenchFailed, Child
from benchmarks.servers import DATABASE_USER, Servers
from benchmarks.tally import VARIABLE

DATABASE = "switchboard_bench"
MILLION = 1_000_000


class OursRunner:
    """`manage.py qcluster` with two workers. shape: plain, keys, hot, or full (1M + 1M other rows)."""

    peer = False
    has_bulk = True
    pilot_jobs = 20_000
    promise = (
        "PostgreSQL row; at least once, fenced: the outcome is committed with the row, what a killed "
        "worker held is taken back at once or at the end of its lease; survives a crash of anything."
    )

    def __init__(self, *, servers: Servers, workspace: Path, shape: str = "plain") -> None:
        self._servers = servers
        self._workspace = workspace
        self._shape = shape
        self._saved = f"bench_saved_{shape}"  # the shapes share a database, and take turns
        self._made = False
        self.first_of_all = 0
        self.name = "switchboard" if shape == "plain" else f"switchboard {shape}"
        self.settings = {
            "plain": "2 workers, INFO log of each outcome to a file, as in production.",
            "keys": "The same with 1,000 partition keys.",
            "hot": "The same behind one key with 50,000 waiting jobs, until everybody else's are done: "
            "what is then left of that key runs one after the other, as its order demands.",
            "full": "The same with 1M finished and 1M future jobs in the tables.",
        }[shape]

    def versions(self) -> dict[str, str]:
        return {"switchboard": (ROOT / "VERSION").read_text().strip()}

    def fill(self, jobs: int, *, bulk: bool) -> float:
        self._make()
        self._clear()
        self.first_of_all = hot_jobs(jobs) if self._shape == "hot" else 0
        said = self._python(
            "-m", "benchmarks.ours.fill", "bulk" if bulk else "one", self._fill_shape, str(jobs)
        )
        with self._connect() as connection:
            connection.execute(f"DROP TABLE IF EXISTS {self._saved}")
            connection.execute(
                f"CREATE UNLOGGED TABLE {self._saved} AS"
                " SELECT * FROM jobs_job WHERE kind = 'bench.noop'"
            )
        return float(json.loads(said.splitlines()[-1])["seconds"])

    def refill(self) -> None:
        self._clear()
        with self._connect() as connection:
            connection.execute(f"INSERT INTO jobs_job SELECT * FROM {self._saved} ORDER BY seq")
            connection.execute("VACUUM ANALYZE jobs_job")
            connection.execute("CHECKPOINT")

    def pending(self) -> int:
        with self._connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM jobs_job WHERE kind = 'bench.noop'"
            ).fetchone()
        assert row is not None
        return int(row[0])

    def is_up(self) -> bool:
        """Have two workers taken their first ticket?"""
        with self._connect() as connection:
            row = connection.execute(
                "SELECT count(*) >= 2 FROM jobs_worker WHERE stopped_at IS NULL"
            ).fetchone()
        assert row is not None
        return bool(row[0])

    def pulse(self, count: int) -> str:
        """Enqueue single jobs at odd moments; see benchmarks.ours.pulse."""
        return self._python("-m", "benchmarks.ours.pulse", str(count))

    @contextlib.contextmanager
    def start(self, workers: int, tally: Path) -> Iterator[Sequence[Child]]:
        env = self._env() | {VARIABLE: str(tally), "WORKER_CONCURRENCY": str(workers)}
        with Child(
            [sys.executable, "manage.py", "qcluster"],
            log=self._workspace / "switchboard.log",
            env=env,
            cwd=ROOT,
        ) as child:
            yield [child]

    @property
    def _fill_shape(self) -> str:
        return self._shape if self._shape in {"keys", "hot"} else "plain"

    def _env(self) -> dict[str, str]:
        host = str(self._servers.postgres_socket_dir).replace("/", "%2F")
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SWITCHBOARD_EXTRA_APPS": "benchmarks.ours",
            "DATA_DIR": str(self._workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": self._servers.redis_url,
            "LOG_LEVEL": "INFO",
        }

    def _make(self) -> None:
        if self._made:
            return
        with self._servers.postgres() as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        self._python("manage.py", "migrate", "--verbosity", "0")
        self._made = True

    def _clear(self) -> None:
        """Leave what belongs to the shape, and nothing else."""
        with self._connect() as connection:
            connection.execute("TRUNCATE jobs_job, jobs_jobattempt, jobs_jobstat, jobs_uniquekey")
            connection.execute("TRUNCATE jobs_jobhistory")
            if self._shape == "full":
                connection.execute(_FUTURE, [MILLION])
                connection.execute(_FINISHED, [MILLION])
                connection.execute("ANALYZE jobs_job, jobs_jobhistory")

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._servers.postgres_socket_dir), user=DATABASE_USER, dbname=DATABASE,
            autocommit=True,
        )  # fmt: skip

    def _python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], env=self._env(), cwd=ROOT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BenchFailed(f"{self.name}: {arguments!r} failed:\n{done.stderr}")
        return done.stdout


_COMMON = """kind, queue, priority, state, args, run_at, attempt, max_attempts, crash_count, fence,
    skip_ahead, debounced, created_at"""
_FUTURE = f"""
INSERT INTO jobs_job (id, blocked, {_COMMON})
SELECT gen_random_uuid(), false, 'jobs.noop', 'default', 2, 'scheduled', '{{"n": 1}}',
    now() + interval '1 day' + g * interval '1 second', 0, 6, 0, 0, false, 0, now()
FROM generate_series(1, %s) g
"""
_FINISHED = f"""
INSERT INTO jobs_jobhistory (id, seq, finished_at, started_at, {_COMMON})
SELECT gen_random_uuid(), g, now(), now(), 'jobs.noop', 'default', 2, 'completed', '{{"n": 1}}',
    now(), 1, 6, 0, 1, false, 0, now()
FROM generate_series(1, %s) g
"""
