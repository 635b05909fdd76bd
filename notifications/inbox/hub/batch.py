"""Notes for Postgres that may wait a little, and are not worth a transaction each."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

from django.db import Error, close_old_connections

Note = TypeVar("Note")

AGAIN_S = 1.0  # after Postgres refused
AT_MOST = 20_000  # notes that wait; while Postgres is away the oldest are forgotten beyond it

logger = logging.getLogger("switchboard.inbox")


class Batch(Generic[Note]):
    """Writes what was added, in order, some time after the first of it; `write` runs in a thread.

    A batch that Postgres did not take is kept and tried again.
    """

    def __init__(
        self, executor: Executor, write: Callable[[Sequence[Note]], None], *, every_s: float
    ) -> None:
        self._executor = executor
        self._write = write
        self._every_s = every_s
        self._notes: list[Note] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, note: Note) -> None:
        self.extend([note])

    def extend(self, notes: Sequence[Note]) -> None:
        self._notes.extend(notes)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def flush(self) -> None:
        """Write what is left now; once, whatever comes of it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._notes:
            await self._turn()

    async def _work(self) -> None:
        try:
            pause = self._every_s
            while self._notes:
                await asyncio.sleep(pause)
                pause = self._every_s if await self._turn() else AGAIN_S
        finally:
            self._task = None

    async def _turn(self) -> bool:
        notes, self._notes = self._notes, []
        work = asyncio.get_running_loop().run_in_executor(self._executor, self._in_thread, notes)
        try:
            await asyncio.shield(work)
        except Error as exc:
            logger.warning("inbox: %d notes must wait: %s", len(notes), type(exc).__name__)
            self._notes = (notes + self._notes)[-AT_MOST:]
            return False
        except asyncio.CancelledError:
            await work  # it is not cut off in the middle
            raise
        return True

    def _in_thread(self, notes: list[Note]) -> None:
        try:
            self._write(notes)
        finally:
            close_old_connections()
