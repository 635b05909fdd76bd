"""Our own server among those that push."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.bench_venv import ROOT
from benchmarks.inbox.rivals import Load
from benchmarks.inbox.site import Site
from benchmarks.processes import Child


class Ours:
    """`python -m config.serve` as in production; the sockets come in by tickets."""

    name = "Switchboard"
    peer = False
    greeted = True
    settings = (
        "config.serve with DEBUG off. Fed by our publisher from a process of its own: SETEX, XADD and "
        "PUBLISH of real changes, without the rows in Postgres that stand before them in production."
    )

    def __init__(self, site: Site) -> None:
        self._site = site

    def versions(self) -> dict[str, str]:
        return {"switchboard": (ROOT / "VERSION").read_text().strip()}

    @contextlib.contextmanager
    def server(self, port: int) -> Iterator[Child]:
        self._site.forget()
        with self._site.web(port) as child:
            yield child

    def paths(self, people: int, fan: int) -> list[str]:
        return self._site.paths([person + 1 for _ in range(fan) for person in range(people)])

    @contextlib.contextmanager
    def feeder(self, load: Load, board: Path) -> Iterator[Child]:
        with self._site.child(
            "benchmarks.inbox.feed_ours", "publish", board, json.dumps(asdict(load)), log="feed.log"
        ) as child:
            yield child
