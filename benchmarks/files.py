"""The files suite: 10,000 file events in 2 s through the real watcher, and what a directory costs.

A real `manage.py watch_files` watches a directory on disk and a real pool acts on what it records. Each
part states what must hold (one batch per window, each file exactly once) and is void if it does not.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed, Child, wait_until
from benchmarks.report import Table
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started

EVENTS = 10_000
SECONDS = 2.0
DEBOUNCE_MS = 500
MANY, MANY_QUICK = 100_000, 20_000
NOTES = (
    "Events: files of some 40 bytes, written at an even pace over two seconds by this process into one "
    f"directory; debounce {DEBOUNCE_MS} ms, PostgreSQL with fsync on. The time is from the last write "
    "to the commit of the batch with its files and its job, debounce included.",
    "Modified: each of them again, with other content. Touched: the timestamp of each again.",
    "Restart: killed with SIGKILL, started again, until everything was looked at; a tenth of the files "
    "changed meanwhile.",
    "Memory: RSS of the watcher, the most that was seen every 20 ms; the whole process with Django.",
)


def files(options: Options) -> Table:
    """About three minutes; quick, about one. Raises BenchFailed when a file is lost or taken twice."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers:
            bench = Bench(servers, workspace)
            with bench.running():
                noise = Noise()
                added = bench.round("added", "write")
                modified = bench.round("modified", "write")
                touched = bench.touch()
                restart = bench.restart()
                crowd = bench.crowd(MANY_QUICK if options.quick else MANY)
                others = noise.cores()
    return Table(
        suite="files",
        title="File watch",
        columns=("measure", "value", "bar"),
        rows=(
            *_lines(f"{EVENTS:,} files added in {added['seconds']:.1f} s", added),
            *_lines(f"{EVENTS:,} files modified in {modified['seconds']:.1f} s", modified),
            (f"changes after {EVENTS:,} touched timestamps", f"{touched['changes']}", "0"),
            ("killed and started again: until all is known", f"{restart['took_s']:.1f} s", ""),
            ("the same, changes recorded", f"{restart['changes']:,}", f"{restart['expected']:,}"),
            (
                f"first look at {crowd['files']:,} files",
                f"{crowd['took_s']:.1f} s, {crowd['files'] / crowd['took_s']:,.0f} files/s",
                "",
            ),
            (
                "memory: idle, during events, during that look",
                f"{added['idle_mb']:.0f} MB, {added['peak_mb']:.0f} MB, {crowd['peak_mb']:.0f} MB",
                "constant",
            ),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=NOTES,
        figures=(
            {"part": "added", **added},
            {"part": "modified", **modified},
            {"part": "touched", **touched},
            {"part": "restart", **restart},
            {"part": "crowd", **crowd},
            {"others_cores": others},
        ),
    )


def _lines(what: str, found: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    return (
        (what, f"{found['batches']} batch{'' if found['batches'] == 1 else 'es'}", "1 per window"),
        ("taken exactly once", f"{found['once']:,} of {EVENTS:,}", f"{EVENTS:,}"),
        ("last write to commit", f"{found['delay_s']:.2f} s", ""),
        ("last write to outcome of all", f"{found['done_s']:.2f} s", ""),
    )


class Peak:
    """The most memory that a process takes during the block, in MB."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self.mb = 0.0
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._stop.is_set():
            self.mb = max(self.mb, self._process.memory_info().rss / 1e6)
            self._stop.wait(0.02)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class Bench:
    """A site with one watcher, a pool and a directory."""

    def __init__(self, servers: Servers, workspace: Path) -> None:
        self._workspace = workspace
        self.drop = workspace / "drop"
        self.drop.mkdir()
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "FILE_WATCH_ROOTS": str(workspace),
            "WORKER_CONCURRENCY": "2",
            "LOG_LEVEL": "INFO",
        }
        self._connection = servers.postgres()
        self._watcher: Child | None = None
        self.rule = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Pool and watcher on a fresh database, with a rule for the directory."""
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=self._env, check=True)
        self.rule = self._rule_make("drop", self.drop)
        with contextlib.ExitStack() as stack:
            log = self._workspace / "qcluster.log"
            pool = [sys.executable, "manage.py", "qcluster"]
            stack.enter_context(Child(pool, log=log, env=self._env, cwd=ROOT))
            stack.callback(self._stop)
            self._start()
            self._wait_scanned(self.rule)
            workers = "SELECT count(*) >= 2 FROM jobs_worker WHERE stopped_at IS NULL"
            wait_until(lambda: bool(self.value(workers)), what="two live workers")
            yield
        self._connection.close()

    def value(self, query: str, params: Any = ()) -> Any:
        """The first value of a query."""
        row = self._connection.execute(query, params).fetchone()
        return None if row is None else row[0]

    def round(self, change: str, content: str) -> dict[str, Any]:
        """All files in two seconds, each with content of its own; what was recorded of it."""
        idle_mb = psutil.Process(self._pid).memory_info().rss / 1e6
        before = self._batches()
        with Peak(self._pid) as peak:
            began = time.monotonic()
            for number in range(EVENTS):
                ahead = began + number * SECONDS / EVENTS - time.monotonic()
                if ahead > 0.002:
                    time.sleep(ahead)  # an even pace is what is measured
                (self.drop / f"{number}.csv").write_text(f"{change} {content} {number} {began}")
            written = time.monotonic()
            count = "SELECT count(*) FROM files_event WHERE change = %s"
            wait_until(
                lambda: self.value(count, [change]) >= EVENTS, what="all changes", patience_s=60
            )
            recorded = time.monotonic()
            unfinished = "SELECT count(*) FROM files_batch WHERE state <> 'finished'"
            wait_until(lambda: self.value(unfinished) == 0, what="all outcomes", patience_s=60)
            done = time.monotonic()
        once = self.value(
            "SELECT count(*) FROM (SELECT FROM files_event WHERE change = %s "
            "GROUP BY file_id HAVING count(*) = 1) q",
            [change],
        )
        total = self.value(count, [change])
        if (once, total) != (EVENTS, EVENTS):
            raise BenchFailed(f"files: {total} changes, {once} of them once, not {EVENTS}")
        return {
            "seconds": written - began,
            "batches": self._batches() - before,
            "once": once,
            "delay_s": recorded - written,
            "done_s": done - written,
            "idle_mb": idle_mb,
            "peak_mb": peak.mb,
        }

    def touch(self) -> dict[str, Any]:
        """A timestamp is no change: nothing may be recorded until all of it was looked at again."""
        before = self.value("SELECT count(*) FROM files_event")
        for number in range(EVENTS):
            os.utime(self.drop / f"{number}.csv")
        probe = self.drop / "probe.csv"
        probe.write_text("seen")
        known = "SELECT count(*) FROM files_event WHERE path = 'probe.csv'"
        wait_until(lambda: bool(self.value(known)), what="the probe", patience_s=60)
        probe.unlink()
        gone = f"{known} AND change = 'deleted'"
        wait_until(lambda: bool(self.value(gone)), what="the end of the probe", patience_s=60)
        after = self.value("SELECT count(*) FROM files_event WHERE path <> 'probe.csv'")
        return {"changes": after - before}

    def restart(self) -> dict[str, Any]:
        """Killed; a tenth changes while nobody watches; what the next one records."""
        assert self._watcher is not None
        os.kill(self._pid, 9)
        self._watcher.stop()
        before = self.value("SELECT count(*) FROM files_event")
        self._connection.execute("UPDATE files_rule SET scanned_at = NULL")
        expected = EVENTS // 10
        for number in range(expected):
            (self.drop / f"{number}.csv").write_text(f"while nobody watched {number}")
        began = time.monotonic()
        self._start()
        self._wait_scanned(self.rule)
        took_s = time.monotonic() - began
        changes = "SELECT count(*) FROM files_event"
        wait_until(
            lambda: self.value(changes) - before >= expected, what="what changed", patience_s=60
        )
        found = self.value(changes) - before
        if found != expected:
            raise BenchFailed(f"files: {found} changes after a restart, not {expected}")
        return {"took_s": took_s, "changes": found, "expected": expected}

    def crowd(self, count: int) -> dict[str, Any]:
        """A directory with many files that a new rule only remembers."""
        crowd = self._workspace / "crowd"
        crowd.mkdir()
        for number in range(count):
            (crowd / f"{number}.csv").write_text(str(number))
        time.sleep(DEBOUNCE_MS / 1000)  # so that all of them have settled
        with Peak(self._pid) as peak:
            began = time.monotonic()
            rule = self._rule_make("crowd", crowd)
            self._wait_scanned(rule, patience_s=300)
            took_s = time.monotonic() - began
        known = self.value("SELECT count(*) FROM files_file WHERE rule_id = %s", [rule])
        if known != count:
            raise BenchFailed(f"files: {known} of {count} files are known")
        return {"files": count, "took_s": took_s, "peak_mb": peak.mb}

    @property
    def _pid(self) -> int:
        assert self._watcher is not None
        self._watcher.require_alive()
        return self._watcher.pid

    def _batches(self) -> int:
        return int(self.value("SELECT count(*) FROM files_batch"))

    def _start(self) -> None:
        self._watcher = Child(
            [sys.executable, "manage.py", "watch_files"],
            log=self._workspace / "watcher.log", env=self._env, cwd=ROOT,
        )  # fmt: skip

    def _stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()

    def _wait_scanned(self, rule: int, patience_s: float = 60) -> None:
        query = "SELECT scanned_at IS NOT NULL FROM files_rule WHERE id = %s"
        wait_until(
            lambda: bool(self.value(query, [rule])), what="the first look", patience_s=patience_s
        )

    def _rule_make(self, name: str, directory: Path) -> int:
        return int(
            self.value(
                """INSERT INTO files_rule (name, directory, patterns, is_recursive, debounce_ms, changes,
                    takes_existing, action, options, version, created_by, problem, note, batches, files,
                    done, failed, skipped, rejected, created_at, updated_at)
                VALUES (%s, %s, '{*.csv}', false, %s, '{added,modified,moved,deleted}', false,
                    'telegram', %s, 1, '', '', '', 0, 0, 0, 0, 0, 0, now(), now()) RETURNING id""",
                [name, str(directory), DEBOUNCE_MS, json.dumps({"chat": 1, "language": "en"})],
            )
        )
