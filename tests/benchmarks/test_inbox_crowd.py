"""The clients of the inbox bench: which deliveries they count, and which they complain about."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.inbox import wire
from benchmarks.inbox.board import ACKED, RECEIVED, board_made
from benchmarks.inbox.sockets import Ledger, Seat, Socket

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + wire.ACCEPTED + b"\r\n\r\n"
Connect = Callable[..., tuple[Seat, Socket]]


class Line(asyncio.Transport):
    """Keeps what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.written.append(b"closed")

    def abort(self) -> None:
        self.written.append(b"aborted")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(board_made(tmp_path / "board"))


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def connect(ledger: Ledger, line: Line) -> Iterator[Connect]:
    loop = asyncio.new_event_loop()

    def make(*, greeted: bool = False) -> tuple[Seat, Socket]:
        seat = Seat(0, "/ws")
        socket = Socket(seat, ledger, wire.upgrade("bench", seat.path), greeted=greeted, loop=loop)
        socket.connection_made(line)
        socket.data_received(HEAD)
        return seat, socket

    yield make
    loop.close()


def server_frame(payload: bytes, opcode: int = 0x1) -> bytes:
    """As a server sends it: not masked."""
    size = (
        bytes((len(payload),)) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
    )
    return bytes((0x80 | opcode,)) + size + payload


def push(number: int) -> bytes:
    return server_frame(wire.push_frame(0, number, 0).encode())


@pytest.mark.unit
def test_frames_are_found_wherever_the_stream_is_cut(connect: Connect, ledger: Ledger) -> None:
    stream = push(0) + server_frame(b'{"type":"pong"}') + push(1)

    for cut in range(1, len(stream)):
        seat, socket = connect()
        socket.data_received(stream[:cut])
        socket.data_received(stream[cut:])
        assert seat.received == 2

    assert ledger.wrong == []
    assert ledger.board[RECEIVED] == 2 * (len(stream) - 1)


@pytest.mark.unit
@pytest.mark.parametrize("numbers", [(0, 0), (0, 2), (1,), (0, 1, 0)], ids=str)
def test_a_delivery_out_of_turn_is_wrong(
    connect: Connect, ledger: Ledger, numbers: tuple[int, ...]
) -> None:
    _, socket = connect()

    socket.data_received(b"".join(push(number) for number in numbers))

    assert ledger.wrong


@pytest.mark.unit
def test_a_push_is_answered_with_a_read_and_its_ack_is_taken_once(
    connect: Connect, ledger: Ledger, line: Line
) -> None:
    ledger.reading = True
    _, socket = connect()
    notification_id = wire.field(wire.push_frame(0, 0, 0).encode(), b"notification_id")
    ack = b'{"type":"notification.read.ack","data":{"notification_id":"%b"}}' % notification_id

    socket.data_received(push(0))
    assert notification_id in line.written[-1]
    socket.data_received(server_frame(ack))
    assert (ledger.board[ACKED], ledger.reads, ledger.wrong) == (1, {}, [])

    socket.data_received(server_frame(ack))
    assert ledger.wrong


@pytest.mark.unit
def test_an_error_frame_and_a_close_are_wrong(connect: Connect, ledger: Ledger) -> None:
    _, socket = connect()

    socket.data_received(server_frame(b'{"type":"error","data":{"code":"slow_down"}}'))
    socket.data_received(server_frame((4413).to_bytes(2, "big"), opcode=0x8))

    assert [("slow_down" in said, "4413" in said) for said in ledger.wrong] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.unit
def test_a_ping_is_answered_with_its_own_words(connect: Connect, line: Line) -> None:
    _, socket = connect()

    socket.data_received(server_frame(b"abc", opcode=0x9))

    assert line.written[-1] == b"\x8a\x83" + bytes(4) + b"abc"


@pytest.mark.unit
def test_a_client_that_waits_for_a_session_is_ready_with_it(connect: Connect) -> None:
    seat, socket = connect(greeted=True)
    assert not socket.ready.done()

    socket.data_received(server_frame(b'{"type":"session","data":{"recovered":true}}'))

    assert socket.ready.done()
    assert b"recovered" in seat.session
