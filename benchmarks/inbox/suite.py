"""The inbox suite: what a user waits for, what a server costs, and how others do the same."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench_venv import bench_venv
from benchmarks.harness import Options
from benchmarks.inbox.acks import acks_measured
from benchmarks.inbox.connections import connections_measured
from benchmarks.inbox.crowd import Crowd, allow_files
from benchmarks.inbox.ingest import ingest_measured
from benchmarks.inbox.node import NodeMissing
from benchmarks.inbox.ours import Ours
from benchmarks.inbox.push import push_measured
from benchmarks.inbox.rivals import ChannelsGroup, NodeWs, Pusher
from benchmarks.inbox.site import Site
from benchmarks.inbox.tables import inbox_table
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from benchmarks.servers import Servers, servers_started

PARTS = ("ingest", "push", "acks", "connections")
PEOPLE = 10_000


@dataclass(frozen=True, slots=True)
class Bench:
    """What the parts share."""

    options: Options
    servers: Servers
    workspace: Path

    @property
    def redis_pid(self) -> int:
        with self.servers.redis() as client:
            return int(client.info("server")["process_id"])


def inbox(options: Options) -> Table:
    """About eight minutes; quick, about three. --only takes parts: ingest, push, acks, connections.

    Raises BenchFailed when a message is lost, comes twice or in the wrong order.
    """
    wanted = options.only or (frozenset({"push"}) if options.peers_only else frozenset(PARTS))
    if unknown := wanted - set(PARTS):
        raise BenchFailed(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
    people = PEOPLE // 5 if options.quick else PEOPLE
    allow_files(people)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers, Crowd(workspace) as crowd:
            bench = Bench(options, servers, workspace)
            site = None if options.peers_only else Site(servers, workspace)
            found = _measured(bench, site, crowd, wanted, people)
            stores = servers.versions()
    return inbox_table(found, stores)


def _measured(
    bench: Bench, site: Site | None, crowd: Crowd, wanted: frozenset[str], people: int
) -> dict[str, Any]:
    quick = bench.options.quick
    rounds, seconds = (1, 2.0) if quick else (3, 4.0)
    found: dict[str, Any] = {}
    if "push" in wanted:
        pushers, missing = _pushers(bench, site)
        found["push"] = push_measured(
            pushers, crowd, bench.redis_pid, rounds=rounds, seconds=seconds, say=_say
        )
        found["missing"] = missing
    if site is None:
        return found
    if "ingest" in wanted:
        site.forget()
        found["ingest"] = ingest_measured(site, bench.servers, quick=quick, say=_say)
    if "acks" in wanted:
        found["acks"] = acks_measured(
            site, crowd, bench.redis_pid, rounds=rounds, seconds=seconds + 2, say=_say
        )
    if "connections" in wanted:
        found["connections"] = connections_measured(site, crowd, people=people, say=_say)
    return found


def _pushers(bench: Bench, site: Site | None) -> tuple[Sequence[Pusher], Mapping[str, str]]:
    """Who takes part, and why somebody cannot."""
    venv = bench_venv()
    found: list[Pusher] = []
    if site is not None:
        found += [Ours(site), Ours(site, "publish")]
    missing = {}
    try:
        found.append(NodeWs(bench.servers, bench.workspace))
    except NodeMissing as why:
        missing["Node ws"] = str(why)
        _say(f"NOT MEASURED: Node ws, for {why}")
    found += [
        ChannelsGroup(layer, bench.servers, venv, bench.workspace) for layer in ("pubsub", "core")
    ]
    return found, missing


def _say(line: str) -> None:
    print(line, flush=True)
