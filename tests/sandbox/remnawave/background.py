"""Tasks that outlive the call that started them: queued changes, deliveries, sweeps."""

import asyncio
import traceback
from collections.abc import Coroutine
from typing import Any


class Background:
    """Keeps tasks alive and ends them together."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside the calls. Needs a running event loop."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def cancel(self) -> None:
        """Forget whatever is still under way."""
        for task in self._tasks:
            task.cancel()
        self._tasks = set()

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            traceback.print_exception(error)  # to stderr: a fault of the sandbox itself
