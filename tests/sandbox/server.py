"""The HTTP server: uvicorn that can cut a connection, says when it is ready, and stops at once."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Idle connections stay open for longer than any client keeps them, so that a client never meets a
# close that nobody ordered.
KEEP_ALIVE_S = 900
# A panel of a million users is objects that stay: to look through them often is all pause and no gain.
GC_THRESHOLDS = (20_000, 20, 100)


class CuttableProtocol(HttpToolsProtocol):
    """Hands the application a way to abort its connection, see tests.sandbox.wire.cut."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", WholeAnswers(transport)))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope = cast("dict[str, Any]", self.scope)
        scope["extensions"] = {"sandbox.cut": {"abort": self.transport.abort}}


class WholeAnswers:
    """A transport that sends the head of an answer together with its body.

    uvicorn writes them one by one, which takes two turns of the kernel here and wakes the caller twice.
    """

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Keep a head until the next write, which always follows; "100 Continue" is no head."""
        if data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 1"):
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = b""

    def close(self) -> None:
        """A refusal of uvicorn's own comes in one piece, and looks like a head."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._transport.close()


class SandboxServer(uvicorn.Server):
    """Prints one line when it listens; the first signal ends it, whatever is still open."""

    def __init__(
        self,
        config: uvicorn.Config,
        url: str,
        *,
        on_start: Callable[[], None],
        on_stop: Callable[[], None],
        stop_with_stdin: bool,
    ) -> None:
        super().__init__(config)
        self._url = url
        self._on_start = on_start
        self._on_stop = on_stop
        self._stop_with_stdin = stop_with_stdin

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_start()
        if self._stop_with_stdin:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read_stdin)
        sys.stdout.write(f"sandbox ready {self._url}\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets=sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Unlike the parent class, do not raise the signal again: a stop is a normal end."""
        self._stop()

    def _stop(self) -> None:
        self.should_exit = True
        self.force_exit = True  # do not wait for callers

    def _read_stdin(self) -> None:
        """The end of stdin means that the parent is gone, however it went."""
        if not os.read(sys.stdin.fileno(), 1024):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._stop()


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes any free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    on_start: Callable[[], None],
    on_stop: Callable[[], None],
    stop_with_stdin: bool,
) -> None:
    """Serve until SIGTERM or SIGINT, or until stdin ends if asked to.

    on_start is called in the event loop, before the first call; on_stop ends open calls.
    """
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    config = uvicorn.Config(
        app,
        http=CuttableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # its lines would hold bot tokens
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job inherits it ignored
    server = SandboxServer(
        config,
        f"http://{shown}:{port}",
        on_start=on_start,
        on_stop=on_stop,
        stop_with_stdin=stop_with_stdin,
    )
    server.run([listener])
