"""One look at an operation per half second for all who watch it in this process, while there are any."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.db import Error, connection

from jobs.progress.pace import Pace
from jobs.progress.registry import operation_find
from jobs.progress.snapshot import Progress, Stage, snapshot_body

EVERY_S = 0.5
SHARE = 0.2  # of the time is spent looking, at most: a slow database is asked less often,
REST_MOST_S = 2.0  # but people watch: after so long it is asked again anyway
TICK_S = 5.0  # a viewer that hears nothing for so long is told that all is well

TICK = '{"type":"progress.tick","data":{}}'
TROUBLE = "The database cannot be reached now; what you see is what was last known."

T = TypeVar("T")

logger = logging.getLogger("switchboard.jobs")


async def apart(work: Callable[[], T]) -> T:
    """Do it in a thread, with a connection that goes back when it is done."""

    def whole() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(whole)


@dataclass(slots=True)
class _Look:
    """What all viewers of one operation share."""

    text: str = ""
    is_over: bool = False
    error: Exception | None = None
    viewers: int = 0
    turned: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def turn(self) -> None:
        turned, self.turned = self.turned, asyncio.Event()
        turned.set()


class Watch:
    """Frames of operations: {"type": "progress.snapshot", "data": {...}} and, in silence, a tick."""

    def __init__(self, every_s: float = EVERY_S, tick_s: float = TICK_S) -> None:
        self._every_s, self._tick_s = every_s, tick_s
        self._looks: dict[UUID, _Look] = {}

    async def frames(self, operation_id: UUID) -> AsyncGenerator[str, None]:
        """The snapshot at once, then each change until the operation is over. A slow viewer skips some.

        Raises OperationUnknown, and whatever else looking raises.
        """
        look = self._looks.get(operation_id)
        if look is None:
            look = self._looks[operation_id] = _Look()
            look.task = asyncio.create_task(self._follow(operation_id, look))
        look.viewers += 1
        known = ""
        try:
            while True:
                turned = look.turned
                if look.text != known:
                    known = look.text
                    yield known
                if look.error is not None:
                    raise look.error
                if look.is_over and look.text == known:
                    return
                try:
                    async with asyncio.timeout(self._tick_s):
                        await turned.wait()
                except TimeoutError:
                    yield TICK
        finally:
            look.viewers -= 1
            if not look.viewers:
                self._forget(operation_id, look)

    def _forget(self, operation_id: UUID, look: _Look) -> None:
        if look.task is not None:
            look.task.cancel()
        if self._looks.get(operation_id) is look:
            del self._looks[operation_id]

    async def _follow(self, operation_id: UUID, look: _Look) -> None:
        loop = asyncio.get_running_loop()
        pace = Pace()
        while True:
            began = loop.time()
            try:
                _, progress = await apart(lambda: operation_find(operation_id))
            except Error as exc:
                logger.warning("progress: nothing new is seen: %s", type(exc).__name__)
                text = frame("trouble", {"text": TROUBLE})
            except Exception as exc:  # noqa: BLE001 - every viewer raises it, and it is logged there
                look.error = exc
                break
            else:
                text, look.is_over = _frame_of(progress, pace, began), progress.stage is Stage.OVER
            if text != look.text:
                look.text = text
                look.turn()
            if look.is_over:
                break
            spent = loop.time() - began
            rest = min(spent / SHARE, REST_MOST_S) if spent > 0.1 else 0.0
            await asyncio.sleep(max(self._every_s - spent, rest))
        # Who comes from now on gets a look of their own: a person may have set it going again.
        if self._looks.get(operation_id) is look:
            del self._looks[operation_id]
        look.turn()


def _frame_of(progress: Progress, pace: Pace, at: float) -> str:
    rate_per_s, eta_s = pace.rate(progress, at)
    return frame("snapshot", snapshot_body(progress, rate_per_s=rate_per_s, eta_s=eta_s))


def frame(name: str, data: dict[str, Any]) -> str:
    """The text of a frame."""
    return orjson.dumps(
        {"type": f"progress.{name}", "data": data}, option=orjson.OPT_UTC_Z
    ).decode()
