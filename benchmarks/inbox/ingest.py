"""Taking in: POST /api/v1/notify by REST, with a token, until the answer 202 (committed to disk)."""

import statistics
from collections.abc import Callable
from typing import Any

from benchmarks.inbox.site import Site
from benchmarks.inbox.usage import Usage, postgres_pids
from benchmarks.processes import BenchFailed
from benchmarks.servers import Servers

PEOPLE = 10_000
TARGETS = 1_000
CONNECTIONS = 32
STEADY = 200.0  # requests a second
_Say = Callable[[str], None]


def ingest_measured(
    site: Site, servers: Servers, *, quick: bool, say: _Say
) -> dict[str, dict[str, Any]]:
    """The parts many, one_process, two_processes, steady. Raises BenchFailed when a row is missing."""
    seconds = 3.0 if quick else 10.0
    ingest = _Ingest(site, servers, say)
    with site.webs(1) as (webs, ports):
        ingest.pids = [web.pid for web in webs]
        # Everybody once, so that people exist, as they do on all days but the first.
        ingest.posted("warm-up", ports, requests=PEOPLE // TARGETS, targets=TARGETS)
        many = ingest.posted("1,000 targets", ports, requests=20 if quick else 100, targets=TARGETS)
        ingest.posted("warm-up", ports, connections=CONNECTIONS, seconds=1.0)
        one = ingest.posted("one process", ports, connections=CONNECTIONS, seconds=seconds)
        steady = ingest.posted("steady", ports, connections=64, rate=STEADY, seconds=seconds)
    with site.webs(2) as (webs, ports):
        ingest.pids = [web.pid for web in webs]
        ingest.posted("warm-up", ports, connections=CONNECTIONS, seconds=1.0)
        two = ingest.posted("two processes", ports, connections=CONNECTIONS, seconds=seconds)
    return {"many": many, "one_process": one, "two_processes": two, "steady": steady}


class _Ingest:
    def __init__(self, site: Site, servers: Servers, say: _Say) -> None:
        self._site = site
        self._servers = servers
        self._say = say
        self._first = 0
        self.pids: list[int] = []

    def posted(self, name: str, ports: list[int], **how: Any) -> dict[str, Any]:
        before = self._rows()
        usage = Usage({"web": self.pids, "Postgres": postgres_pids()})
        said = self._site.posted(ports=ports, people=PEOPLE, first=self._first, **how)
        cores = usage.cores(ended_s=said["client_cpu_s"], over_s=said["seconds"])
        cores["client"] = said["client_cpu_s"] / said["seconds"]
        self._first += said["requests"]
        rows = self._rows() - before
        expected = said["requests"] * how.get("targets", 1)
        if rows != expected:
            raise BenchFailed(f"ingest, {name}: {expected} were accepted, {rows} rows are there")
        waits = sorted(said.pop("waits_ms"))
        found = {
            **said,
            "rate": said["requests"] / said["seconds"],
            "p50_ms": statistics.median(waits),
            "p95_ms": waits[round((len(waits) - 1) * 0.95)],
            "p99_ms": waits[round((len(waits) - 1) * 0.99)],
            "max_ms": waits[-1],
            "cores": cores,
        }
        self._say(
            f"ingest  {name}: {found['rate']:,.0f} requests/s, p50 {found['p50_ms']:.1f},"
            f" p95 {found['p95_ms']:.1f}, p99 {found['p99_ms']:.1f} ms, web {cores['web']:.2f}"
        )
        return found

    def _rows(self) -> int:
        with self._servers.postgres() as connection:
            row = connection.execute("SELECT count(*) FROM inbox_notification").fetchone()
        assert row is not None
        return int(row[0])
