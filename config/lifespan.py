"""What begins and ends with the web process, besides requests: the hub of the sockets."""

from collections.abc import Awaitable, Callable
from typing import Any

from notifications.inbox.hub.hub import the_hub


async def lifespan(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """ASGI's lifespan protocol: start before the first request, stop after the last."""
    del scope
    await receive()
    the_hub().start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await the_hub().stop()
    await send({"type": "lifespan.shutdown.complete"})
