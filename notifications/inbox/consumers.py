"""`/ws`: the screens of people. See docs/inbox.md for what is said there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from notifications.inbox.hub.hub import the_hub
from notifications.inbox.hub.visit import Visit
from notifications.inbox.hub.wire import wire_of

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_WRONG_SERVER = 1011

logger = logging.getLogger("switchboard.inbox")


async def inbox(scope: Scope, receive: Receive, send: Send) -> None:
    """One socket, from its handshake to its end. Refusals are close codes, which browsers can read."""
    await receive()
    await send({"type": "websocket.accept"})
    wire = wire_of(scope)
    if wire is None:
        logger.error("inbox: sockets are served by `python -m config.serve` only")
        await send({"type": "websocket.close", "code": _WRONG_SERVER})
        return
    hub = the_hub()
    hub.start()
    visit = Visit(hub, wire)
    beginning = asyncio.get_running_loop().create_task(visit.begin(scope))
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        visit.end()


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """A WebSocket to an address that we do not have: refused by the handshake, with 403."""
    del scope
    await receive()
    await send({"type": "websocket.close"})
