"""`/ws/progress/<uuid>`: one operation, followed to its end. It only speaks; what it hears it ignores.

Frames: `progress.hello` {now, may: [acts that this viewer may do]}, `progress.snapshot` at once and then
on change, at most twice a second, `progress.trouble` {text}, and `progress.tick` in silence. Close codes:
1000 over; 4401 not logged in, or not any more; 4403 no permission, or another origin; 4404 no such operation.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any
from uuid import UUID

from jobs.progress.registry import Kind, OperationUnknown, operation_find
from jobs.progress.viewers import is_known, may, socket_user
from jobs.progress.watch import Watch, apart, frame
from lib import clock

RECHECK_S = 60.0  # who logs out, or loses the permission, stops seeing

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Refused(Exception):
    """The socket is closed with a code that says why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def progress_socket(origin_ok: Callable[[Scope], bool], watch: Watch | None = None) -> App:
    """The ASGI application; origin_ok says whether the page that opens the socket is one of ours."""
    shared = watch or Watch()

    async def progress(scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI application of one viewer. Ends when the operation is over or the browser leaves."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        operation_id: UUID = scope["url_route"]["kwargs"]["operation_id"]
        try:
            greeting = await _admitted(scope, operation_id, is_ours=origin_ok(scope))
            await send({"type": "websocket.send", "text": greeting})
            await _served(shared, scope, operation_id, receive, send)
        except _Refused as exc:
            await send({"type": "websocket.close", "code": exc.code, "reason": exc.reason})
        except OperationUnknown:
            await send({"type": "websocket.close", "code": 4404, "reason": "no such operation"})

    return progress


async def _admitted(
    scope: Scope, operation_id: UUID, *, is_ours: bool = True, is_opening: bool = True
) -> str:
    """The greeting of a viewer. Raises _Refused, OperationUnknown."""
    if not is_ours:
        raise _Refused(4403, "origin")

    def ask() -> tuple[Any, Kind | None, list[str]]:
        user = socket_user(scope, operation_id, is_opening=is_opening)
        if not is_known(user):
            return user, None, []
        kind, _ = operation_find(operation_id)
        if not may(user, kind.permission):
            return user, None, []
        return user, kind, [name for name, act in kind.acts.items() if may(user, act.permission)]

    user, kind, acts = await apart(ask)
    if kind is None:
        code, reason = (4403, "no permission") if user.is_authenticated else (4401, "log in")
        raise _Refused(code, reason)
    return frame("hello", {"now": clock.now(), "may": acts})


async def _served(
    watch: Watch, scope: Scope, operation_id: UUID, receive: Receive, send: Send
) -> None:
    async def follow() -> None:
        async with aclosing(watch.frames(operation_id)) as frames:
            async for text in frames:
                await send({"type": "websocket.send", "text": text})

    async def until_gone() -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def until_refused() -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            await _admitted(scope, operation_id, is_opening=False)

    follows, leaves, checks = tasks = [
        asyncio.create_task(work) for work in (follow(), until_gone(), until_refused())
    ]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    if leaves in done:
        return
    for task in (follows, checks):
        if task in done:
            task.result()
    raise _Refused(1000, "over")
