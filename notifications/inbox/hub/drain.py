"""Leaving without harm: at SIGTERM the sockets of this pod are told when to connect anew, spread over
a few seconds so that the other pods are not stormed; who is left then is closed with 1012."""

import asyncio
import random

from notifications.inbox.frames import dump
from notifications.inbox.hub.hub import Hub
from notifications.inbox.hub.wire import encode

SPREAD_S = 3.0
LEEWAY_S = 1.0  # for the last of them
RESTART = 1012
_TICK_S = 0.05


async def drain(hub: Hub, *, spread_s: float = SPREAD_S) -> None:
    """Return when no socket is left. New ones are refused from the first moment on."""
    hub.is_draining = True
    await hub.beat()
    for screen in hub.screens():
        after_ms = random.randrange(int(spread_s * 1000) + 1)  # noqa: S311 - not a secret
        hint = dump("reconnect", {"after_ms": after_ms, "reason": "restart"})
        screen.wire.write(encode(hint.encode()))
    ends_at = asyncio.get_running_loop().time() + spread_s + LEEWAY_S
    while hub.connections and asyncio.get_running_loop().time() < ends_at:
        await asyncio.sleep(_TICK_S)
    for screen in hub.screens():
        screen.wire.close(RESTART, "restart")
