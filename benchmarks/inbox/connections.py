"""Ten thousand sockets in one web process: what they cost, and how fast they all come back."""

import json
import signal
import time
from collections.abc import Callable
from typing import Any

from benchmarks.inbox.board import RECEIVED, SENT, STOP
from benchmarks.inbox.crowd import Crowd
from benchmarks.inbox.rivals import HOST, free_port
from benchmarks.inbox.site import Site
from benchmarks.inbox.usage import Usage, postgres_pids, rss_bytes
from benchmarks.processes import BenchFailed, Child, wait_until

IDLE_S = 25.0  # one ping of each socket
MISSED = 2  # messages to each person while all are away
LIVE = 500.0  # messages a second while they come back
PATIENCE_S = 90.0
_WARM = 50
_Say = Callable[[str], None]


def connections_measured(site: Site, crowd: Crowd, *, people: int, say: _Say) -> dict[str, Any]:
    """{"idle": ..., "cut": ..., "killed": ...}. Raises BenchFailed when a message is lost."""
    site.forget()
    port = free_port()
    sockets = _Sockets(site, crowd, people, port)
    with site.web(port) as web:
        idle = sockets.idle(web)
        say(
            f"idle  {people:,} sockets opened in {idle['opened_s']:.1f} s,"
            f" {idle['kb_per_socket']:.1f} KB each, {idle['cores']['server']:.1%} of a core"
        )
        sockets.send(1)
        crowd.ask("cut")
        sockets.send(MISSED)
        cut = sockets.come_back(web)
        say(f"cut  {_words(cut)}")
        crowd.ask("cut")
        web.stop(with_signal=signal.SIGKILL)
    sockets.send(MISSED)
    with site.web(port) as web:
        killed = sockets.come_back(web)
        say(f"killed  {_words(killed)}")
        crowd.close()
    return {"people": people, "idle": idle, "cut": cut, "killed": killed}


class _Sockets:
    """A socket for each of so many people."""

    def __init__(self, site: Site, crowd: Crowd, people: int, port: int) -> None:
        self._site = site
        self._crowd = crowd
        self._people = people
        self._port = port
        self._sent = 0  # messages to each

    def idle(self, web: Child) -> dict[str, Any]:
        """Open them, look at memory, let them rest."""
        address = (HOST, self._port)
        self._crowd.open(address, self._site.paths(range(1, _WARM + 1)), greeted=True)
        before = rss_bytes(web.pid)
        paths = self._site.paths(range(_WARM + 1, self._people + 1))
        opened_s = self._crowd.open(address, paths, greeted=True)
        time.sleep(1.0)
        grown = rss_bytes(web.pid) - before
        usage = Usage({"server": [web.pid], "clients": [self._crowd.pid]})
        time.sleep(IDLE_S)  # the time itself is what is measured
        return {
            "opened_s": opened_s,
            "kb_per_socket": grown / (self._people - _WARM) / 1024,
            "cores": usage.cores(),
        }

    def send(self, count: int) -> None:
        """So many messages to everybody, all committed and published when it returns."""
        self._feed_all(most=count * self._people)
        self._sent += count
        rows = self._site.value("SELECT count(*) FROM inbox_notification")
        if rows != self._sent * self._people:
            raise BenchFailed(f"{self._sent * self._people} were sent, {rows} rows are there")

    def come_back(self, web: Child) -> dict[str, Any]:
        """All at once, with others' messages on their way; the messages are counted at the end."""
        paths = self._site.paths(range(1, self._people + 1))
        with self._feeder(most=self._people, rate=LIVE) as feeder:
            usage = Usage(
                {
                    "server": [web.pid],
                    "feeder": [feeder.pid],
                    "clients": [self._crowd.pid],
                    "Postgres": postgres_pids(),
                }
            )
            said = self._crowd.ask("reopen", paths=paths, goal=self._sent, patience_s=PATIENCE_S)
            cores = usage.cores()
            self._crowd.board[STOP] = 1
            wait_until(lambda: not feeder.alive(), what="the end of the feeder")
        live = self._crowd.board[SENT]
        self._feed_all(begin=live, most=self._people)  # so that everybody has as many again
        self._sent += 1
        expected = self._sent * self._people
        try:
            wait_until(
                lambda: self._crowd.board[RECEIVED] >= expected, what="the last", patience_s=20
            )
        except BenchFailed:
            lost = expected - self._crowd.board[RECEIVED]
            raise BenchFailed(f"{lost} deliveries lost in a rush: {said}") from None
        report = self._crowd.report()
        if report["wrong"] or self._crowd.board[RECEIVED] != expected:
            raise BenchFailed(f"a rush went wrong: {'; '.join(report['wrong'][:5])}")
        if said["recovered"] != self._people:
            raise BenchFailed(f"only {said['recovered']} of {self._people} recovered: {said}")
        return {**said, "cores": cores, "missed": MISSED * self._people, "live": live}

    def _feed_all(self, *, begin: int = 0, most: int) -> None:
        with self._feeder(begin=begin, most=most, rate=1e9) as feeder:
            wait_until(lambda: not feeder.alive(), what="the end of the feeder", patience_s=120)
        if self._crowd.board[SENT] != most:
            raise BenchFailed(f"the feeder failed:\n{feeder.tail()}")

    def _feeder(self, *, begin: int = 0, **load: float) -> Child:
        self._crowd.board[STOP] = 0
        self._crowd.board[SENT] = begin  # it may be stopped before it has sent anything
        spec = json.dumps(
            {"people": self._people, "batch": 1000, "first": self._sent, "begin": begin, **load}
        )
        return self._site.child(
            "benchmarks.inbox.feed_ours", "accept", self._crowd.board_path, spec, log="feed.log"
        )


def _words(rush: dict[str, Any]) -> str:
    return (
        f"all back in {rush['opened_s']:.1f} s, all recovered in {rush['seconds']:.1f} s"
        f" ({rush['missed']:,} missed, {rush['live']:,} live),"
        f" {', '.join(f'{name} {share:.2f}' for name, share in rush['cores'].items())}"
    )
