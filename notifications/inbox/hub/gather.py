"""Questions to Postgres that come one by one from many sockets, asked together.

A thread answers all that came within a few milliseconds by one statement; what comes while it is
at work waits for the next one. So the more there is to do, the less each of them costs.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

from django.db import close_old_connections

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class Gather(Generic[Ask, Answer]):
    """`answer` runs in a thread: it gets a list and returns as many answers, in that order.

    What it raises is raised in everybody who asked in that turn.
    """

    def __init__(
        self,
        executor: Executor,
        answer: Callable[[Sequence[Ask]], Sequence[Answer]],
        *,
        wait_s: float = 0.002,
        at_most: int = 500,
        lanes: int = 1,
    ) -> None:
        self._executor = executor
        self._answer = answer
        self._wait_s = wait_s
        self._at_most = at_most
        self._free_lanes = lanes
        self._waiting: list[tuple[Ask, asyncio.Future[Answer]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, what: Ask) -> "asyncio.Future[Answer]":
        """The answer, some milliseconds later."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, future))
        if self._free_lanes:
            self._free_lanes -= 1
            task = asyncio.get_running_loop().create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                if len(self._waiting) < self._at_most:
                    await asyncio.sleep(self._wait_s)
                turn = self._waiting[: self._at_most]
                del self._waiting[: self._at_most]
                if not turn:
                    return
                asked = [what for what, _ in turn]
                try:
                    answers = await loop.run_in_executor(self._executor, self._in_thread, asked)
                except Exception as exc:  # noqa: BLE001 - it belongs to those who asked
                    _give_up(turn, exc)
                else:
                    for (_, future), answer in zip(turn, answers, strict=True):
                        if not future.done():
                            future.set_result(answer)
        finally:
            self._free_lanes += 1

    def _in_thread(self, asked: list[Ask]) -> Sequence[Answer]:
        try:
            return self._answer(asked)
        finally:
            close_old_connections()


def _give_up(
    turn: Sequence[tuple[object, "asyncio.Future[Answer]"]], reason: BaseException
) -> None:
    for _, future in turn:
        if not future.done():
            future.set_exception(reason)
            future.exception()  # whoever asked may have left
