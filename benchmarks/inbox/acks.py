"""Pushed, read, acknowledged: the whole way through Postgres, Redis and one web process and back."""

import json
import time
from collections.abc import Callable
from typing import Any

from benchmarks.inbox.board import ACKED, RECEIVED, SENT, STOP
from benchmarks.inbox.crowd import Crowd
from benchmarks.inbox.pace import sent_to
from benchmarks.inbox.rivals import HOST, free_port
from benchmarks.inbox.site import Site
from benchmarks.inbox.usage import Usage, postgres_pids
from benchmarks.processes import BenchFailed, Child, wait_until

SOCKETS = 500
WINDOW = 2_000  # notifications that are not acknowledged yet
BATCH = 250  # people per call of accept
STEADY = 1_000.0  # a second
WARM_S = 1.5
_Say = Callable[[str], None]


def acks_measured(
    site: Site, crowd: Crowd, redis_pid: int, *, rounds: int, seconds: float, say: _Say
) -> dict[str, Any]:
    """{"full": [run, ...], "steady": run}. Raises BenchFailed when one is lost or not acknowledged."""
    runs = []
    for number in range(1, rounds + 1):
        run = _run(site, crowd, redis_pid, seconds, window=WINDOW, counter=ACKED)
        runs.append(run)
        say(f"acks {number}/{rounds}  {run['rate']:,.0f}/s, {_words(run['cores'])}")
    steady = _run(site, crowd, redis_pid, seconds, rate=STEADY)
    for name, waits in (("push", steady["waits"]), ("read to ack", steady["ack_waits"])):
        say(f"acks steady  {name}: p50 {waits['p50']:.1f}, p99 {waits['p99']:.1f} ms")
    say(f"acks steady  {_words(steady['cores'])}")
    return {"full": runs, "steady": steady}


def _run(site: Site, crowd: Crowd, redis_pid: int, seconds: float, **load: float) -> dict[str, Any]:
    site.forget()
    port = free_port()
    spec = json.dumps({"people": SOCKETS, "batch": BATCH, **load})
    with site.web(port) as web:
        paths = site.paths(range(1, SOCKETS + 1))
        crowd.open((HOST, port), paths, greeted=True, reading=True)
        with site.child(
            "benchmarks.inbox.feed_ours", "accept", crowd.board_path, spec, log="feed.log"
        ) as feeder:
            wait_until(lambda: _moving(crowd, feeder), what="a first acknowledgement")
            time.sleep(WARM_S)  # the time itself is what is measured, here and below
            crowd.mark(timing=True)
            usage = Usage(
                {
                    "server": [web.pid],
                    "feeder": [feeder.pid],
                    "clients": [crowd.pid],
                    "Redis": [redis_pid],
                    "Postgres": postgres_pids(),
                }
            )
            before, at = crowd.board[ACKED], time.monotonic()
            time.sleep(seconds)
            rate = (crowd.board[ACKED] - before) / (time.monotonic() - at)
            cores = usage.cores()
            feeder.require_alive()
            crowd.board[STOP] = 1
            wait_until(lambda: not feeder.alive(), what="the end of the feeder")
        report = _settled(crowd)
        unread = site.value("SELECT count(*) FROM inbox_notification WHERE state <> 'read'")
        if unread:
            raise BenchFailed(f"acks: {unread} were acknowledged and are not read in Postgres")
        crowd.close()
    return {
        "rate": rate,
        "cores": cores,
        "per_core": rate / cores["server"],
        "waits": report["waits"],
        "ack_waits": report["ack_waits"],
    }


def _moving(crowd: Crowd, feeder: Child) -> bool:
    feeder.require_alive()
    return crowd.board[ACKED] > 0


def _settled(crowd: Crowd) -> dict[str, Any]:
    """The report once every message that was sent was read and acknowledged, each once."""
    sent = crowd.board[SENT]
    try:
        wait_until(lambda: crowd.board[ACKED] >= sent, what="the last one", patience_s=15)
    except BenchFailed:
        counts = f"{sent} sent, {crowd.board[RECEIVED]} received, {crowd.board[ACKED]} acknowledged"
        wrong = "; ".join(crowd.report()["wrong"][:5])
        raise BenchFailed(f"acks: {counts}. {wrong}") from None
    report = crowd.report()
    expected = [sent_to(seat, sent=sent, people=SOCKETS) for seat in range(SOCKETS)]
    if report["wrong"] or report["received"] != expected or report["unacknowledged"]:
        raise BenchFailed(f"acks: not each once: {'; '.join(report['wrong'][:5])}")
    return report


def _words(cores: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.2f}" for name, share in cores.items())
