"""The webhooks suite: deliveries of one worker process to a fast endpoint while another one hangs.

A real pool sends over real HTTP to a receiver in a process of its own. What arrived, when and how
often is read there, not in our rows.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed, Child, wait_until
from benchmarks.report import Table
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BAR = 300
HANGING = 40
NOTES = (
    "One worker process, WARNING log, PostgreSQL with fsync on; sender, database and receiver share "
    "the two cores. Each delivery is signed, sent on a kept connection, logged as an attempt.",
    "Rate: deliveries are there before the start; from the first arrival to the last. The hanging "
    "ones have as many due as the fast ones, and never answer.",
    "Latency: events one by one to an idle site, from before the INSERT to the arrival.",
    "Kill: the worker is killed (SIGKILL) in the middle of its deliveries; silence is the longest "
    "pause between two arrivals, twice are deliveries that were on their way and came again.",
)
# Under the key of the site, as it lies in the database.
_SEAL = f"from notifications.webhooks.sealing import seal; print(seal({SECRET!r}))"


def webhooks(options: Options) -> Table:
    """About two minutes; quick, half of it. Raises BenchFailed when deliveries are lost."""
    count = 3_000 if options.quick else 10_000
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers, receiver(workspace) as port:
            site = Site(servers, workspace, port)
            with site.running():
                noise = Noise()
                latency = _latency(site, 50 if options.quick else 200)
                alone = _rate(site, count)
                beside = _rate(site, count, hanging=1)
                crowd = _rate(site, count, hanging=HANGING)
                many = _rate(site, count, hanging=1, endpoints=10)
                others = noise.cores()
                kill = _kill(site, count)
    return Table(
        suite="webhooks",
        title="Webhooks",
        columns=("measure", "value", "bar"),
        rows=(
            ("one endpoint", f"{alone['rate']:.0f} deliveries/s", ""),
            (
                "one endpoint while another hangs",
                f"{beside['rate']:.0f} deliveries/s",
                f">= {BAR}",
            ),
            (f"one endpoint while {HANGING} others hang", f"{crowd['rate']:.0f} deliveries/s", ""),
            ("ten endpoints while another hangs", f"{many['rate']:.0f} deliveries/s", ""),
            ("requests that the hanging one held meanwhile, most", f"{beside['hanging']}", ""),
            ("event to arrival, idle site, p50", f"{latency['p50_ms']:.1f} ms", ""),
            ("the same, p99", f"{latency['p99_ms']:.1f} ms", ""),
            ("lost after a kill", f"{kill['lost']} of {kill['deliveries']:,}", "0"),
            ("arrived twice after a kill", f"{kill['twice']}", ""),
            ("silence after a kill", f"{kill['silence_s']:.1f} s", "< 30 s"),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=NOTES,
        figures=(
            {"part": "alone", **alone}, {"part": "beside", **beside}, {"part": "crowd", **crowd},
            {"part": "many", **many},
            {"part": "latency", **latency}, {"part": "kill", **kill}, {"others_cores": others},
        ),
    )  # fmt: skip


@contextlib.contextmanager
def receiver(workspace: Path) -> Iterator[int]:
    """The port of a receiver that ends with the block."""
    log = workspace / "receiver.log"
    command = [sys.executable, "-m", "benchmarks.webhooks_receiver"]
    with Child(command, log=log, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as child:

        def is_up() -> bool:
            child.require_alive()
            return log.read_text().strip().isdigit()

        wait_until(is_up, what="a receiver")
        yield int(log.read_text())


class Site:
    """The site whose webhooks are measured, and what its receiver saw."""

    def __init__(self, servers: Servers, workspace: Path, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self._workspace = workspace
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "WORKER_CONCURRENCY": "1",
            "WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8",
            "LOG_LEVEL": "WARNING",
        }
        self._connection = servers.postgres()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """A pool of one worker on a fresh database."""
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT, env=self._env, check=True,
        )  # fmt: skip
        self._sealed = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", _SEAL],
            cwd=ROOT, env=self._env, check=True, text=True, stdout=subprocess.PIPE,
        ).stdout.strip()  # fmt: skip
        command = [sys.executable, "manage.py", "qcluster"]
        log = self._workspace / "switchboard.log"
        with Child(command, log=log, env=self._env, cwd=ROOT) as child:
            self.child = child
            wait_until(lambda: bool(self.workers()), what="a live worker")
            yield
        self._connection.close()

    def workers(self) -> list[int]:
        """Process ids of the live workers."""
        rows = self._connection.execute("SELECT pid FROM jobs_worker WHERE stopped_at IS NULL")
        return [row[0] for row in rows.fetchall()]

    def value(self, query: str, params: Any = ()) -> Any:
        """The first value of a query."""
        row = self._connection.execute(query, params).fetchone()
        return None if row is None else row[0]

    def clear(self) -> None:
        """No endpoints, and a receiver that has seen nothing."""
        self._connection.execute("UPDATE webhook_endpoint SET state = 'deleted'")
        held = "SELECT count(*) FROM webhook_lane WHERE held_until > clock_timestamp()"
        wait_until(lambda: self.value(held) == 0, what="idle lanes", patience_s=60)
        self._connection.execute(
            "TRUNCATE webhook_endpoint, webhook_lane, webhook_event, webhook_delivery, "
            "webhook_attempt, webhook_tally"
        )
        self.ask("forget")

    def endpoint(self, path: str) -> UUID:
        """An enabled endpoint."""
        made = uuid4()
        self._connection.execute(
            """WITH made AS (INSERT INTO webhook_endpoint (id, title, url, event_types, secret)
            VALUES (%s, %s, %s, '{*}', %s) RETURNING id)
            INSERT INTO webhook_lane (endpoint_id) SELECT id FROM made""",
            [made, path, f"{self.root}{path}", self._sealed],
        )
        return made

    def deliveries(self, endpoints: list[UUID], count: int) -> None:
        """So many events for these endpoints in turn, committed at once; the site is told."""
        self._connection.execute(
            """WITH made AS (
                INSERT INTO webhook_event (id, type, body)
                SELECT gen_random_uuid(), 'webhook.test', '{"type":"webhook.test","timestamp":'
                    || '"2026-11-22T10:00:00Z","data":{"message":"' || repeat('x', 400) || '"}}'
                FROM generate_series(1, %(count)s) RETURNING id
            ), told AS (
                INSERT INTO webhook_delivery (event_id, endpoint_id, event_type, next_attempt_at)
                SELECT id, (%(endpoints)s::uuid[])[1 + (row_number() OVER ())
                    %% cardinality(%(endpoints)s::uuid[])], 'webhook.test', clock_timestamp()
                FROM made RETURNING 1
            ) SELECT pg_notify('jobs_wake', 'webhooks.send_due') FROM told LIMIT 1""",
            {"count": count, "endpoints": endpoints},
        )

    def pending(self, endpoints: list[UUID]) -> int:
        """How many deliveries of these endpoints have no end yet."""
        self.child.require_alive()
        return int(
            self.value(
                "SELECT count(*) FROM webhook_delivery WHERE state = 'pending' "
                "AND endpoint_id = ANY (%s)",
                [endpoints],
            )
        )

    def ask(self, what: str) -> Any:
        """What the receiver has seen."""
        with urllib.request.urlopen(f"{self.root}/{what}", timeout=30) as answer:
            return json.load(answer)


def _rate(site: Site, count: int, *, hanging: int = 0, endpoints: int = 1) -> dict[str, Any]:
    site.clear()
    if hanging:
        site.deliveries([site.endpoint("/hang") for _ in range(hanging)], count)
        wait_until(lambda: site.ask("hanging") >= hanging, what="the hanging requests")
    fast = [site.endpoint(f"/fast/{number}") for number in range(endpoints)]
    site.deliveries(fast, count)
    wait_until(lambda: site.pending(fast) == 0, what="the end of all", patience_s=count / 20 + 60)
    arrivals = site.ask("arrivals")
    _require(len(arrivals) == count, f"{len(arrivals)} arrived, not {count}")
    at = sorted(moments[0] for moments in arrivals.values())
    return {
        "deliveries": count,
        "endpoints": endpoints,
        "seconds": at[-1] - at[0],
        "rate": (count - 1) / (at[-1] - at[0]),
        "twice": sum(1 for moments in arrivals.values() if len(moments) > 1),
        "hanging": site.ask("hanging"),
    }


def _latency(site: Site, count: int) -> dict[str, Any]:
    site.clear()
    endpoint = site.endpoint("/fast")
    waits = []
    for number in range(count):
        time.sleep(0.4 + 0.013 * (number % 7))  # the run of the one before has ended
        before = time.time()
        site.deliveries([endpoint], 1)
        wait_until(lambda n=number: len(site.ask("arrivals")) > n, what="an arrival")  # type: ignore[misc]
        waits.append((max(m[0] for m in site.ask("arrivals").values()) - before) * 1000)
    quantiles = statistics.quantiles(waits, n=100)
    return {"events": count, "p50_ms": statistics.median(waits), "p99_ms": quantiles[98]}


def _kill(site: Site, count: int) -> dict[str, Any]:
    site.clear()
    endpoint = site.endpoint("/fast")
    site.deliveries([endpoint], count)
    wait_until(lambda: len(site.ask("arrivals")) > count // 4, what="a quarter of them")
    (worker,) = site.workers()
    os.kill(worker, 9)
    wait_until(lambda: site.pending([endpoint]) == 0, what="the end of all", patience_s=120)
    arrivals = site.ask("arrivals")
    at = sorted(moment for moments in arrivals.values() for moment in moments)
    return {
        "deliveries": count,
        "lost": count - len(arrivals),
        "twice": sum(1 for moments in arrivals.values() if len(moments) > 1),
        "silence_s": max(after - before for before, after in pairwise(at)),
    }


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise BenchFailed(f"webhooks: {what}")
