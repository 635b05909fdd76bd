"""Push: 500 sockets in one server process, the same crowd for every product, rounds interleaved."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.inbox.board import RECEIVED, SENT, STOP
from benchmarks.inbox.crowd import Crowd
from benchmarks.inbox.pace import sent_to
from benchmarks.inbox.rivals import HOST, Load, Pusher, free_port
from benchmarks.inbox.usage import Usage, postgres_pids
from benchmarks.processes import BenchFailed, Child, wait_until

SOCKETS = 500
MOST_PER_PERSON = 20  # as many sockets as one person may have on a pod
WINDOW = 8_000  # deliveries under way: sixteen per socket; nobody drops any, nobody runs dry
STEADY = 1_000.0  # a second
WARM_S = 1.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How the sockets belong to people."""

    name: str
    people: int

    @property
    def fan(self) -> int:
        return SOCKETS // self.people


SHAPES = (
    Shape(f"{SOCKETS} people, a socket each", SOCKETS),
    Shape(
        f"{SOCKETS // MOST_PER_PERSON} people, {MOST_PER_PERSON} sockets each",
        SOCKETS // MOST_PER_PERSON,
    ),
)


@dataclass(slots=True)
class Pushed:
    """One product in one shape."""

    pusher: Pusher
    shape: Shape
    runs: list[dict[str, Any]] = field(default_factory=list)
    steady: dict[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Median deliveries per second."""
        return float(statistics.median(run["rate"] for run in self.runs))

    @property
    def per_core(self) -> float:
        """Median deliveries per second of processor time of the server."""
        shares = [run["rate"] / run["cores"]["server"] for run in self.runs]
        return float(statistics.median(shares))


def push_measured(
    pushers: Sequence[Pusher],
    crowd: Crowd,
    redis_pid: int,
    *,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> list[Pushed]:
    """Rounds of full speed, then one of a steady 1,000/s. Raises BenchFailed on any wrong delivery."""
    found = [Pushed(pusher, shape) for shape in SHAPES for pusher in pushers]
    for number in range(1, rounds + 1):
        for one in found:
            load = Load(one.shape.people, one.shape.fan, window=WINDOW)
            run = _run(one, crowd, redis_pid, load, seconds)
            one.runs.append(run)
            say(
                f"push {number}/{rounds}  {one.pusher.name}, {one.shape.name}:"
                f" {run['rate']:,.0f}/s, {_words(run['cores'])}"
            )
    for one in found:
        if one.shape.fan > 1:
            continue
        load = Load(one.shape.people, one.shape.fan, rate=STEADY)
        one.steady = _run(one, crowd, redis_pid, load, seconds, timing=True)
        waits = one.steady["waits"]
        say(
            f"push steady  {one.pusher.name}: p50 {waits['p50']:.1f}, p99 {waits['p99']:.1f} ms,"
            f" {_words(one.steady['cores'])}"
        )
    return found


def _run(
    one: Pushed,
    crowd: Crowd,
    redis_pid: int,
    load: Load,
    seconds: float,
    *,
    timing: bool = False,
) -> dict[str, Any]:
    pusher, port = one.pusher, free_port()
    with pusher.server(port) as server:
        crowd.open((HOST, port), pusher.paths(load.people, load.fan), greeted=pusher.greeted)
        with pusher.feeder(load, crowd.board_path) as feeder:
            wait_until(lambda: _moving(crowd, feeder), what=f"{pusher.name}: a first delivery")
            time.sleep(WARM_S)  # the time itself is what is measured, here and below
            crowd.mark(timing=timing)
            usage = Usage(
                {
                    "server": [server.pid],
                    "feeder": [feeder.pid],
                    "clients": [crowd.pid],
                    "Redis": [redis_pid],
                    "Postgres": postgres_pids(),
                }
            )
            before, at = crowd.board[RECEIVED], time.monotonic()
            time.sleep(seconds)
            rate = (crowd.board[RECEIVED] - before) / (time.monotonic() - at)
            cores = usage.cores()
            feeder.require_alive()
            _stop(one, crowd, load, feeder)
        report, sent = crowd.report(), crowd.board[SENT]
        _check(one, report, load, sent)
        server.require_alive()
        crowd.close()
    return {
        "rate": rate,
        "cores": cores,
        "messages": sent,
        "waits": report["waits"],
    }


def _moving(crowd: Crowd, feeder: Child) -> bool:
    feeder.require_alive()
    return crowd.board[RECEIVED] > 0


def _stop(one: Pushed, crowd: Crowd, load: Load, feeder: Child) -> None:
    crowd.board[STOP] = 1
    wait_until(lambda: not feeder.alive(), what="the end of the feeder")

    def all_there() -> bool:
        return crowd.board[RECEIVED] >= crowd.board[SENT] * load.fan

    try:
        wait_until(all_there, what="the last delivery", patience_s=10)
    except BenchFailed:
        lost = crowd.board[SENT] * load.fan - crowd.board[RECEIVED]
        raise BenchFailed(f"{one.pusher.name}: {lost} deliveries lost") from None


def _check(one: Pushed, report: dict[str, Any], load: Load, sent: int) -> None:
    if report["wrong"]:
        raise BenchFailed(f"{one.pusher.name}: {'; '.join(report['wrong'][:5])}")
    for seat, received in enumerate(report["received"]):
        expected = sent_to(seat % load.people, sent=sent, people=load.people)
        if received != expected:
            raise BenchFailed(f"{one.pusher.name}: socket {seat} got {received} of {expected}")


def _words(cores: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.2f}" for name, share in cores.items())
