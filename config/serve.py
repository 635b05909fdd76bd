"""`python -m config.serve`: the web process, HTTP and WebSocket on LISTEN_HOST:PORT by uvicorn and uvloop.

One process is one pod: run more of them with a POD_ID each rather than one with many children.
"""

import gc
import os
import signal
import socket
from types import FrameType

import uvicorn
from django.conf import settings

from config.start import start

DATABASE_POOL = "20"  # connections; each request has a thread, and must not have one of its own
STOP_S = 10  # requests that are open at SIGTERM may take this long
PING_TIMEOUT_S = 20.0
# Tens of thousands of sockets are objects that stay: to look through them often is all pause and no gain.
GC_THRESHOLDS = (20_000, 20, 100)


class Server(uvicorn.Server):
    """Sends its sockets to other pods before it stops, unless somebody waits at a terminal."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        from notifications.inbox.hub.drain import SPREAD_S, drain  # noqa: PLC0415
        from notifications.inbox.hub.hub import the_hub  # noqa: PLC0415 - needs the apps

        await drain(the_hub(), spread_s=0.0 if self._is_in_a_hurry else SPREAD_S)
        await super().shutdown(sockets)

    _is_in_a_hurry = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._is_in_a_hurry = self._is_in_a_hurry or sig == signal.SIGINT or self.should_exit
        super().handle_exit(sig, frame)


def main() -> None:
    """Serve until SIGTERM or SIGINT. Status 2 and a sentence if a setting is wrong."""
    os.environ.setdefault("DATABASE_POOL", DATABASE_POOL)
    start(servers=True)
    config = uvicorn.Config(
        "config.asgi:application",
        host=os.environ.get("LISTEN_HOST", "127.0.0.1"),
        port=settings.PORT,
        loop="uvloop",
        http="httptools",
        # Of the two that uvicorn has, sending one frame to 5,000 sockets took 13.1 us each with
        # websockets (37 kB of memory per socket) and 10.6 us with websockets-sansio (23 kB); this
        # one stands on the second and takes 6.8 us, most of it in the kernel (2026-11).
        ws="notifications.inbox.hub.wire:Wire",
        ws_max_size=settings.WS_MAX_FRAME_BYTES,
        ws_per_message_deflate=False,  # 70 kB of memory per socket, for frames of 300 bytes
        ws_ping_interval=settings.WS_PING.total_seconds(),
        ws_ping_timeout=PING_TIMEOUT_S,
        lifespan="on",
        log_config=None,  # ours, by LOGGING
        access_log=False,  # counted by django-prometheus; a line per request helps nobody
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
        backlog=8192,  # everybody comes back at once when another pod stops
    )
    config.load()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    Server(config).run()


if __name__ == "__main__":
    main()
