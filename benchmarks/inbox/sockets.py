"""One client of the crowd: a WebSocket that reads frames with as little work as Python allows.

Every `notification.push` is checked: it must carry the next number of this person. A number that
comes twice, late or never is written down as wrong, and so is an error frame or an early end.
"""

import asyncio
from array import array
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import cast

from benchmarks.inbox import wire
from benchmarks.inbox.board import ACKED, RECEIVED

_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0xA
_NUMBER_AT = len(wire.NUMBER)
_TIME_AT = _NUMBER_AT + wire.NUMBER_DIGITS + 1
_TIME_END = _TIME_AT + wire.TIME_DIGITS
_ACK = b'"type":"notification.read.ack"'
_SESSION = b'"type":"session"'


@dataclass(slots=True)
class Ledger:
    """What all sockets of this process have seen."""

    board: "memoryview[int]"
    timing: bool = False
    reading: bool = False  # answer each push with notification.read
    waits: "array[int]" = field(default_factory=lambda: array("q"))  # ns, sent to here
    ack_waits: "array[int]" = field(default_factory=lambda: array("q"))  # ns, read to ack
    reads: dict[bytes, int] = field(default_factory=dict)  # notification id to ns of its read
    opened: int = 0
    sessions: int = 0
    recovered: int = 0
    other: int = 0
    goal: int = 0  # so many deliveries each, and `at_goal` counts those who have them
    at_goal: int = 0
    wrong: list[str] = field(default_factory=list)

    def complain(self, what: str) -> None:
        """Remember what must not happen; the first hundred are enough."""
        if len(self.wrong) < 100:
            self.wrong.append(what)


@dataclass(slots=True)
class Seat:
    """A client across its connections: what it has got, and where it stands."""

    number: int
    path: str
    received: int = 0
    session: bytes = b""  # the last session frame
    last_push: bytes = b""
    socket: "Socket | None" = None


class Socket(asyncio.Protocol):
    """One connection of one seat."""

    def __init__(
        self,
        seat: Seat,
        ledger: Ledger,
        request: bytes,
        *,
        greeted: bool,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._seat = seat
        self._ledger = ledger
        self._request = request
        self._greeted = greeted  # the server begins with a session frame
        self._rest = b""
        self._upgraded = False
        self._leaving = False
        self._transport: asyncio.Transport
        self.ready: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's inherits from nothing
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"lost before it was open: {exc}"))
        elif not self._leaving:
            self._ledger.complain(f"socket {self._seat.number} was closed by the server")

    def leave(self) -> None:
        """Cut the connection without a word, as a lost network does (the server sees a reset)."""
        self._leaving = True
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at = 0
        if not self._upgraded:
            at = self._head(data)
            if not at:
                return
        end = len(data)
        pushes = 0
        while end - at >= 2:
            size = data[at + 1]
            start = at + 2
            if size == 126:
                start = at + 4
                size = int.from_bytes(data[at + 2 : start], "big")
            elif size == 127:
                start = at + 10
                size = int.from_bytes(data[at + 2 : start], "big")
            stop = start + size
            if start > end or stop > end:
                break
            if data[at] == _TEXT:
                number_at = data.find(wire.NUMBER, start, stop)
                if number_at >= 0:
                    self._push(data, start, number_at, stop)
                    pushes += 1
                else:
                    self._other(data[start:stop])
            else:
                self._control(data[at], data[start:stop])
            at = stop
        self._rest = data[at:]
        if pushes:
            self._ledger.board[RECEIVED] += pushes

    def _push(self, data: bytes, start: int, number_at: int, stop: int) -> None:
        seat, ledger = self._seat, self._ledger
        number = int(data[number_at + _NUMBER_AT : number_at + _TIME_AT - 1])
        if number != seat.received:
            ledger.complain(f"socket {seat.number} got {number} instead of {seat.received}")
        seat.received += 1
        if seat.received == ledger.goal:
            ledger.at_goal += 1
        if ledger.timing:
            now = monotonic_ns()
            ledger.waits.append(now - int(data[number_at + _TIME_AT : number_at + _TIME_END]))
        if ledger.reading:
            frame = data[start:stop]
            notification_id = wire.field(frame, b"notification_id")
            ledger.reads[notification_id] = monotonic_ns()
            self._transport.write(wire.read_frame(notification_id, wire.field(frame, b"stream_id")))
        elif self._greeted:
            seat.last_push = data[start:stop]

    def _other(self, frame: bytes) -> None:
        ledger = self._ledger
        if _ACK in frame:
            read_ns = ledger.reads.pop(wire.field(frame, b"notification_id"), None)
            if read_ns is None:
                ledger.complain(f"an acknowledgement too many: {frame.decode()}")
                return
            ledger.board[ACKED] += 1
            if ledger.timing:
                ledger.ack_waits.append(monotonic_ns() - read_ns)
        elif _SESSION in frame:
            self._seat.session = frame
            ledger.sessions += 1
            ledger.recovered += b'"recovered":true' in frame
            if not self.ready.done():
                self.ready.set_result(None)
        elif b'"type":"error"' in frame:
            ledger.complain(frame.decode())
        else:
            ledger.other += 1

    def _control(self, first: int, payload: bytes) -> None:
        if first == _PING:
            self._transport.write(wire.client_frame(_PONG, payload))
        elif first == _CLOSE:
            code = int.from_bytes(payload[:2], "big")
            self._ledger.complain(f"socket {self._seat.number} was closed with {code}")
            self._leaving = True
            self._transport.close()
        else:
            self._ledger.complain(f"a frame that begins with {first:#x}")

    def _head(self, data: bytes) -> int:
        """Where the first frame begins; 0 while the answer is not whole, or is a refusal."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._rest = data
            return 0
        if not data.startswith(b"HTTP/1.1 101") or wire.ACCEPTED not in data[:end]:
            self.ready.set_exception(ConnectionError(data[:200].decode(errors="replace")))
            self.leave()
            return 0
        self._upgraded = True
        self._rest = b""
        self._ledger.opened += 1
        if not self._greeted:
            self.ready.set_result(None)
        return end + 4
