"""The socket itself: uvicorn's WebSocket protocol, with a door for frames that are encoded once.

A server frame is not masked (RFC 6455, 5.1), so one encoding serves every socket. `Wire` hands it
straight to the transport; ASGI's `send` would encode it anew for each socket and wait for each.
`config.serve` gives `Wire` to uvicorn; an application finds it as `wire_of(scope)`.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request
from websockets.protocol import State

from notifications.inbox.hub.tide import TIDE

EXTENSION = "switchboard.wire"
TOO_SLOW = 4413
BACKLOG_FRAMES = 1_000  # what may wait for a slow reader, beyond the buffers of the transport
CLOSE_S = 5.0  # a peer that does not answer our close frame, or reads nothing, is cut off

Text = Callable[[str | None], None]  # None: a message that is not text

_quiet = logging.getLogger("switchboard.ws")  # uvicorn's own lines would hold tickets
_quiet.setLevel(logging.WARNING)


def encode(text: bytes) -> bytes:
    """A text frame of a server (RFC 6455, 5.2) around UTF-8."""
    size = len(text)
    if size < 126:
        return b"\x81%c%b" % (size, text)
    if size < 65_536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), text)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), text)


def wire_of(scope: Any) -> "Wire | None":
    """The wire below an ASGI WebSocket scope; None under a server that was not given `Wire`."""
    found: Wire | None = (scope.get("extensions") or {}).get(EXTENSION)
    return found


class Wire(WebSocketsSansIOProtocol):
    """One connection. Until `listen` is called it is a plain WebSocket of uvicorn."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = self.conn.logger = _quiet
        self._on_text: Text | None = None
        self._fresh: list[bytes] = []  # written since the last flush
        self._descriptor = -1  # of the socket, unless it is encrypted
        self._is_paused = False
        self._backlog: deque[bytes] | None = None
        self._backlog_bytes = 0

    def listen(self, on_text: Text) -> None:
        """Hand each incoming message to a function at once, instead of to ASGI's `receive`."""
        self._on_text = on_text

    def write(self, frame: bytes) -> None:
        """Send an encoded frame, or several in one. Never waits.

        What a slow reader leaves behind is kept up to a limit; beyond it the socket is closed with 4413.
        """
        if not self._fresh:
            TIDE.rise(self)
        self._fresh.append(frame)

    def flush(self) -> None:
        """Give the transport what was written. Called by the tide."""
        frames = self._fresh
        if self._is_paused or self.close_sent or self.disconnected:
            self._fresh = []
            self._keep(frames)
        elif len(frames) == 1:
            self._send_now(frames.pop())
        elif frames:
            self._send_now(b"".join(frames))
            frames.clear()

    def _send_now(self, data: bytes) -> None:
        """Past the transport while it holds nothing back: 4.1 us instead of 7.2 (2026-11).

        The descriptor is ours until connection_lost has returned; the transport closes it after that.
        """
        transport = self.transport
        if self._descriptor < 0 or transport.get_write_buffer_size() or transport.is_closing():
            transport.write(data)
            return
        try:
            sent = os.write(self._descriptor, data)
        except OSError:  # full or broken: the transport waits, or learns it by itself
            sent = 0
        if sent < len(data):
            transport.write(data[sent:])

    def _keep(self, frames: list[bytes]) -> None:
        """The reader is slow: what it did not take waits, to a limit."""
        if self.close_sent or self.disconnected:
            return
        if self._backlog is None:
            self._backlog = deque()
        self._backlog.extend(frames)
        self._backlog_bytes += sum(map(len, frames))
        if len(self._backlog) > BACKLOG_FRAMES or self._backlog_bytes > settings.WS_MAX_QUEUE_BYTES:
            self.close(TOO_SLOW, "too slow a reader: reconnect and sync")

    async def drain(self) -> None:
        """Return when what was written has mostly left, or the connection is gone."""
        self.flush()
        await self.writable.wait()

    @property
    def is_open(self) -> bool:
        """Whether what is written may still arrive."""
        return self.handshake_complete and not self.close_sent and not self.disconnected

    def close(self, code: int, reason: str = "") -> None:
        """Send what was written, and begin the closing handshake. Safe to repeat."""
        if self._backlog is None:
            self.flush()
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        if self.conn.state is not State.OPEN:  # a later frame of the same packet closed it
            return
        self._forget_backlog()
        self.stop_keepalive()
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.close_timer = self.loop.call_later(CLOSE_S, self.transport.abort)
        self.writable.set()

    def hold_reading(self, span_s: float) -> None:
        """Read nothing for a while: the peer feels it by TCP."""
        self.transport.pause_reading()
        self.loop.call_later(span_s, self._read_on)

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _forget_backlog(self) -> None:
        self._backlog = None
        self._backlog_bytes = 0

    # What uvicorn and the transport call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if transport.get_extra_info("sslcontext") is None:
            self._descriptor = transport.get_extra_info("socket").fileno()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # its task runs later than this line
            cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self

    def pause_writing(self) -> None:
        self._is_paused = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self._is_paused = False
        while self._backlog and not self._is_paused:  # a write may pause again
            frame = self._backlog.popleft()
            self._backlog_bytes -= len(frame)
            self.transport.write(frame)
        if not self._is_paused:
            self._forget_backlog()
            super().resume_writing()

    def send_receive_event_to_app(self) -> None:
        if self._on_text is None:
            super().send_receive_event_to_app()
            return
        pieces, self.frames = self.frames, []
        if self.close_sent:
            return
        if self.curr_msg_data_type != "text":
            self._on_text(None)
            return
        try:
            text = (pieces[0] if len(pieces) == 1 else b"".join(pieces)).decode()
        except UnicodeDecodeError:
            self.close(1007, "not UTF-8")
            return
        self._on_text(text)

    def connection_lost(self, exc: Exception | None) -> None:
        self._descriptor = -1
        super().connection_lost(exc)
        self._forget_backlog()
        self._on_text = None
        if hasattr(self, "scope"):
            cast(dict[str, Any], self.scope["extensions"]).pop(EXTENSION, None)
