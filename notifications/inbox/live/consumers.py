"""`/ws/console`: what the live console at `/` follows. It only speaks; what it hears it ignores.

Frames: `console.clients`, `console.pending`, `console.counts`, `console.latency` (notifications.inbox.
live.picture says what is in them) and `console.tick` each second. Close codes: 4401 not staff, or not
any more; 4403 origin.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from notifications.inbox.live.viewer import socket_may_view
from notifications.inbox.live.watch import Watch, follow
from notifications.inbox.origins import origin_ok

RECHECK_S = 60.0  # who logs out, or loses the permission, stops seeing

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_watch = Watch()


async def console(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI application of one console. Ends when the browser leaves."""
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    if not origin_ok(scope):
        await send({"type": "websocket.close", "code": 4403, "reason": "origin"})
        return
    if not await socket_may_view(scope):
        await send({"type": "websocket.close", "code": 4401, "reason": "log in as staff"})
        return

    async def tell(text: str) -> None:
        await send({"type": "websocket.send", "text": text})

    tasks = [
        asyncio.create_task(work)
        for work in (follow(_watch, tell), _until_gone(receive), _until_refused(scope))
    ]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    if tasks[2] in done:
        await send({"type": "websocket.close", "code": 4401, "reason": "logged out"})
    if tasks[0] in done:
        tasks[0].result()  # it has no end: what ended it is an error, or the browser that left


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _until_refused(scope: Scope) -> None:
    while True:
        await asyncio.sleep(RECHECK_S)
        if not await socket_may_view(scope):
            return
