"""The one Redis connection through which a pod hears: many channels, read with little ceremony.

redis-py makes the connection (address, TLS, password); reading is ours, since its readers take
longer for a message than the whole rest of a delivery (about 60 us against 3 us, 2026-11).
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import cast

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError

from notifications.inbox.hub.tide import TIDE

AWAY = (RedisError, OSError, asyncio.TimeoutError, EOFError)

PING_S = 5.0  # asked this often; a connection that says nothing in between is given up
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
BATCH = 500  # channels of one SUBSCRIBE

_MESSAGE = re.compile(rb"\*3\r\n\$7\r\nmessage\r\n\$\d+\r\n([^\r]*)\r\n\$(\d+)\r\n")

logger = logging.getLogger("switchboard.inbox")


class Subscription:
    """Keeps the wanted channels subscribed for as long as `run` runs, whatever Redis does.

    on_message(channel, payload) is called in the event loop for each message; on_turn() when the
    connection is lost, and when all wanted channels were asked for on a new one: what is published in
    between is missed.
    """

    def __init__(
        self,
        address: str,
        on_message: Callable[[bytes, bytes], None],
        on_turn: Callable[[], None],
        *,
        always: Iterable[bytes] = (),
    ) -> None:
        self._pool = ConnectionPool.from_url(
            address, protocol=2, socket_connect_timeout=2, socket_timeout=2, retry=None
        )
        self._on_message = on_message
        self._on_turn = on_turn
        # None: confirmed, or not asked for yet.
        self._wanted: dict[bytes, asyncio.Future[None] | None] = dict.fromkeys(always)
        self._fresh: list[bytes] = []
        self._stale: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    @property
    def is_up(self) -> bool:
        return self._transport is not None

    async def follow(self, channel: bytes) -> None:
        """Return when messages of the channel arrive from now on, or at once if Redis is away."""
        if channel not in self._wanted:
            self._wanted[channel] = None
            if self._transport is not None:
                self._wanted[channel] = asyncio.get_running_loop().create_future()
                self._soon(self._fresh, channel)
        confirmed = self._wanted[channel]
        if self._transport is not None and confirmed is not None:
            await asyncio.shield(confirmed)

    def leave(self, channel: bytes) -> None:
        """Follow the channel no longer."""
        waiting = self._wanted.pop(channel, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        if channel in self._fresh:
            self._fresh.remove(channel)
        else:
            self._soon(self._stale, channel)

    async def run(self) -> None:
        """Connect, hear, connect again, until cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                connection = await self._connect()
            except AWAY as exc:
                if pause == FIRST_PAUSE_S:
                    logger.warning("inbox: redis is away: %s", type(exc).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            try:
                if pause > FIRST_PAUSE_S:
                    logger.info("inbox: redis is back")
                pause = FIRST_PAUSE_S
                await self._hear(connection)
            finally:
                self._down()
                with suppress(*AWAY):
                    await connection.disconnect(nowait=True)

    async def _connect(self) -> AbstractConnection:
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        async with asyncio.timeout(3):
            await connection.connect()  # type: ignore[no-untyped-call]
        return connection

    async def _hear(self, connection: AbstractConnection) -> None:
        """Until the connection is lost or silent."""
        loop = asyncio.get_running_loop()
        writer = connection._writer  # noqa: SLF001 - redis-py has no other way to its transport
        assert writer is not None
        transport = cast(asyncio.Transport, writer.transport)
        reader = _Reader(self._on_message, self._answered)
        transport.set_protocol(reader)
        self._transport = transport
        self._fresh, self._stale = [], []
        self._wanted = {name: loop.create_future() for name in self._wanted}
        self._send(b"SUBSCRIBE", self._wanted)
        self._on_turn()
        while not reader.is_lost:
            reader.has_heard = False
            transport.write(b"*1\r\n$4\r\nPING\r\n")
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(reader.lost.wait(), PING_S)
            if not reader.has_heard and not reader.is_lost:
                logger.warning("inbox: redis has been silent for %.0f s", PING_S)
                transport.abort()
                return

    def _down(self) -> None:
        self._transport = None
        self._on_turn()
        for waiting in self._wanted.values():
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        self._wanted = dict.fromkeys(self._wanted)

    def _answered(self, word: bytes, channel: bytes) -> None:
        if word == b"subscribe" and channel in self._wanted:
            waiting, self._wanted[channel] = self._wanted[channel], None
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    def _soon(self, names: list[bytes], channel: bytes) -> None:
        """Gather the channels of one turn of the loop into one command."""
        if self._transport is None:
            return  # a new connection asks for all that is wanted
        if not self._fresh and not self._stale:
            asyncio.get_running_loop().call_soon(self._flush)
        names.append(channel)

    def _flush(self) -> None:
        fresh, stale, self._fresh, self._stale = self._fresh, self._stale, [], []
        self._send(b"UNSUBSCRIBE", stale)
        self._send(b"SUBSCRIBE", fresh)

    def _send(self, command: bytes, channels: Iterable[bytes]) -> None:
        names = list(channels)
        for start in range(0, len(names), BATCH):
            words = [command, *names[start : start + BATCH]]
            if self._transport is not None:
                self._transport.write(
                    b"*%d\r\n" % len(words)
                    + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)
                )


class _Reader(asyncio.Protocol):
    """RESP2 as a subscribed connection speaks it: arrays of bulk texts, and a number at the end of some."""

    def __init__(
        self,
        on_message: Callable[[bytes, bytes], None],
        on_word: Callable[[bytes, bytes], None],
    ) -> None:
        self._on_message = on_message
        self._on_word = on_word
        self._rest = b""
        self.has_heard = True
        self.lost = asyncio.Event()

    @property
    def is_lost(self) -> bool:
        return self.lost.is_set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        self.has_heard = True
        TIDE.read(len(data))
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        while at < size:
            head = _MESSAGE.match(data, at)
            if head is not None:
                begin = head.end()
                end = begin + int(head[2])
                if end + 2 > size:
                    break
                at = end + 2
                self._on_message(head[1], data[begin:end])
                continue
            found = _next(data, at)
            if found is None:
                break
            words, at = found
            self._on_word(words[0], words[1] if len(words) > 1 else b"")
        self._rest = data[at:]


def _next(data: bytes, at: int) -> tuple[list[bytes], int] | None:
    """The words of the array that begins there and where it ends; None if it is not whole yet.

    An error of Redis comes as one word. Raises ValueError on what RESP2 does not know.
    """
    line_end = data.find(b"\r\n", at)
    if line_end < 0:
        return None
    if data[at] != 0x2A:  # an error or a status
        return [data[at:line_end]], line_end + 2
    count = int(data[at + 1 : line_end])
    at = line_end + 2
    words = []
    for _ in range(count):
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return None
        if data[at] == 0x24:
            size = int(data[at + 1 : line_end])
            begin = line_end + 2
            if size < 0:
                words.append(b"")
                at = begin
                continue
            at = begin + size + 2
            if len(data) < at:
                return None
            words.append(data[begin : at - 2])
        else:
            words.append(data[at + 1 : line_end])
            at = line_end + 2
    return words, at
