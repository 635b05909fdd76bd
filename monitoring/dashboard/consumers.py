"""`/ws/dashboard`: what the live dashboard follows. It only speaks; what it hears it ignores.

Frames: monitoring.dashboard.frames says what is in them. Close codes: 4401 not logged in, or not any
more; 4403 no permission (any more), or a page of another origin.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from monitoring.dashboard.viewers import socket_may_view
from monitoring.dashboard.watch import Watch
from notifications.inbox.hub.wire import wire_of
from notifications.inbox.origins import origin_ok

RECHECK_S = 60.0  # who logs out, or loses the permission, stops seeing

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def dashboard_socket(watch: Watch | None = None, recheck_s: float = RECHECK_S) -> App:
    """The ASGI application. One watch serves all sockets of the process."""
    shared = watch or Watch()

    async def dashboard(scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI application of one viewer. Ends when the browser leaves, or may not look any more."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        refusal = "origin" if not origin_ok(scope) else await _refusal(scope)
        if not refusal:
            refusal = await _served(shared, scope, receive, send, recheck_s)
        if refusal:
            code = 4401 if refusal == "log in" else 4403
            await send({"type": "websocket.close", "code": code, "reason": refusal})

    return dashboard


async def _refusal(scope: Scope) -> str:
    is_known, may_look = await socket_may_view(scope)
    if may_look:
        return ""
    return "no permission" if is_known else "log in"


async def _served(
    watch: Watch, scope: Scope, receive: Receive, send: Send, recheck_s: float
) -> str:
    """Tell everything until the viewer leaves (empty), or may not look any more (why)."""

    async def follow() -> str:
        wire = wire_of(scope)
        async with aclosing(watch.frames()) as frames:
            async for said in frames:
                if wire is None:  # another server than ours
                    await send({"type": "websocket.send", "text": said.text})
                else:
                    wire.write(said.wire)
                    await wire.drain()  # who reads slowly skips what was new meanwhile
        return ""

    async def until_gone() -> str:
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return ""

    async def until_refused() -> str:
        while True:
            await asyncio.sleep(recheck_s)
            if refusal := await _refusal(scope):
                return refusal

    follows, leaves, checks = tasks = [
        asyncio.create_task(work) for work in (follow(), until_gone(), until_refused())
    ]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    if leaves in done:
        return ""
    return (checks if checks in done else follows).result()
