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

    peer = False
    greeted = True

    def __init__(self, site: Site, how: str = "bare") -> None:
        self._site = site
        self._how = how
        self.name = {"bare": "Switchboard", "publish": "Switchboard, by its publisher"}[how]
        self.settings = {
            "bare": "`config.serve` as in production, which also writes down which screens got what. "
            "Fed as the others are: PUBLISH of what our publisher would, and nothing else.",
            "publish": "The same, fed by our publisher from a process of its own: payload with its time "
            "to live, stream of 100 and PUBLISH of real changes; rows in PostgreSQL were not made.",
        }[how]

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
            "benchmarks.inbox.feed_ours", self._how, board, json.dumps(asdict(load)), log="feed.log"
        ) as child:
            yield child
