"""python -m benchmarks.inbox.crowd_process CONTROL BOARD: the clients, in a process of their own.

Takes one JSON object per line on the unix socket CONTROL and answers each with one; see Crowd in
benchmarks.inbox.crowd for what may be asked.
"""

import asyncio
import contextlib
import gc
import json
import socket
import sys
from array import array
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

import uvloop

from benchmarks.inbox import wire
from benchmarks.inbox.board import RECEIVED, board
from benchmarks.inbox.sockets import Ledger, Seat, Socket

_LINE = 64 * 2**20  # bytes; ten thousand paths with tickets fit
_PATIENCE_S = 30.0  # for one handshake
_AT_ONCE = 256  # handshakes under way: no more than a listening queue holds
_SOURCES = [f"127.0.0.{number}" for number in range(2, 10)]  # 28,000 ports each
_Answer = dict[str, Any]


class CrowdProcess:
    """All clients, and what may be asked of them."""

    def __init__(self, counters: "memoryview[int]") -> None:
        self._board = counters
        self._ledger = Ledger(counters)
        self._seats: list[Seat] = []
        self._address = ("", 0)
        self._greeted = False
        self.asked: dict[str, Callable[..., Awaitable[_Answer]]] = {
            "open": self.open,
            "mark": self.mark,
            "report": self.report,
            "cut": self.cut,
            "reopen": self.reopen,
            "close": self.close,
        }

    async def open(
        self, *, host: str, port: int, paths: Sequence[str], greeted: bool, reading: bool
    ) -> _Answer:
        """Add clients, all sockets open and greeted when it answers."""
        self._address, self._greeted = (host, port), greeted
        self._ledger.reading = reading
        first = len(self._seats)
        added = [Seat(first + number, path) for number, path in enumerate(paths)]
        self._seats += added
        started = monotonic()
        await self._connect_all(added)
        gc.collect()
        gc.freeze()  # ten thousand clients need not be walked again and again
        return {"seconds": monotonic() - started}

    async def mark(self, *, timing: bool) -> _Answer:
        """Forget the latencies so far, and take them from now on, or not."""
        ledger = self._ledger
        ledger.waits, ledger.ack_waits, ledger.timing = array("q"), array("q"), timing
        return {}

    async def report(self) -> _Answer:
        """What has come so far."""
        ledger = self._ledger
        return {
            "received": [seat.received for seat in self._seats],
            "wrong": ledger.wrong,
            "unacknowledged": len(ledger.reads),
            "opened": ledger.opened,
            "sessions": ledger.sessions,
            "recovered": ledger.recovered,
            "other": ledger.other,
            "waits": _spread(ledger.waits),
            "ack_waits": _spread(ledger.ack_waits),
        }

    async def cut(self) -> _Answer:
        """All lose their network at once."""
        for seat in self._seats:
            if seat.socket is not None:
                seat.socket.leave()
                seat.socket = None
        return {}

    async def reopen(self, *, paths: Sequence[str], goal: int, patience_s: float) -> _Answer:
        """All come back, each with what it saw last, until each has had `goal` deliveries in all.

        Answers with the seconds until all sockets were open, and until all messages were there.
        """
        ledger = self._ledger
        before = (ledger.sessions, ledger.recovered)
        ledger.goal, ledger.at_goal = goal, 0
        for seat, path in zip(self._seats, paths, strict=True):
            seat.path = path + _where_it_stood(seat)
        started = monotonic()
        await self._connect_all(self._seats)
        opened = monotonic() - started
        while ledger.at_goal < len(self._seats) and monotonic() - started < patience_s:
            await asyncio.sleep(0.01)
        return {
            "opened_s": opened,
            "seconds": monotonic() - started,
            "clients": ledger.at_goal,
            "sessions": ledger.sessions - before[0],
            "recovered": ledger.recovered - before[1],
        }

    async def close(self) -> _Answer:
        """Cut all and forget them."""
        await self.cut()
        self._seats.clear()
        self._ledger = Ledger(self._board)
        self._board[RECEIVED] = 0
        return {}

    async def _connect_all(self, seats: Sequence[Seat]) -> None:
        waiting = iter(seats)

        async def some() -> None:
            for seat in waiting:
                await self._connect(seat)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(seats))):
                group.create_task(some())

    async def _connect(self, seat: Seat) -> None:
        host, port = self._address
        request = wire.upgrade(f"{host}:{port}", seat.path)
        line = socket.socket()
        line.setblocking(False)
        if sys.platform == "linux":  # elsewhere only 127.0.0.1 is there without being asked for
            line.setsockopt(socket.IPPROTO_IP, _BIND_WITHOUT_PORT, 1)
            line.bind((_SOURCES[seat.number % len(_SOURCES)], 0))
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, (host, port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Socket(seat, self._ledger, request, greeted=self._greeted, loop=loop)
        seat.socket = client
        await loop.create_connection(lambda: client, sock=line)
        await asyncio.wait_for(client.ready, _PATIENCE_S)


_BIND_WITHOUT_PORT = 24  # IP_BIND_ADDRESS_NO_PORT of ip(7): the port is chosen per destination


def _where_it_stood(seat: Seat) -> str:
    session = json.loads(seat.session)["data"]
    stream_id = wire.field(seat.last_push, b"stream_id").decode() or session["last_stream_id"]
    return f"&stream_id={quote(stream_id)}&epoch={quote(session['epoch'])}"


def _spread(nanoseconds: "array[int]") -> dict[str, float]:
    """Milliseconds by percentile."""
    if not nanoseconds:
        return {"count": 0}
    ordered = sorted(nanoseconds)
    last = len(ordered) - 1
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    spread = {name: ordered[round(last * share)] / 1e6 for name, share in shares.items()}
    return {"count": len(ordered), **spread}


async def _serve(control: Path, crowd: CrowdProcess) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked = json.loads(line)
            try:
                said = await crowd.asked[asked.pop("do")](**asked)
            except* (OSError, TimeoutError) as exc:
                said = {"failed": repr(exc.exceptions[0])}
            writer.write(json.dumps(said).encode() + b"\n")
            with contextlib.suppress(ConnectionError):
                await writer.drain()

    server = await asyncio.start_unix_server(answer, control, limit=_LINE)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]), CrowdProcess(board(Path(sys.argv[2])))))
