"""What a running job can ask and say: `current_job()`.

The engine sets it for the time of the call; outside of a job it is None.
"""

import logging
from collections import deque
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import orjson

from jobs import errors
from jobs.storable import json_storable, storable

MAX_LOG_LINES = 200
MAX_LOG_CHARS = 1000


class JobContext:
    """The handle of one attempt."""

    __slots__ = (
        "attempt", "batch_id", "checkpoint", "fence", "id", "interrupt", "kind", "lines",
        "max_attempts", "progress", "progress_dirty",
    )  # fmt: skip

    def __init__(
        self,
        job_id: UUID,
        kind: str,
        attempt: int,
        max_attempts: int,
        fence: int,
        checkpoint: Any = None,
    ) -> None:
        self.id = job_id
        self.kind = kind
        self.attempt = attempt
        self.max_attempts = max_attempts
        self.fence = fence  # strictly growing per job: pass it to stores that can refuse older ones
        self.checkpoint = checkpoint
        self.progress: dict[str, Any] | None = None
        self.progress_dirty = False
        self.interrupt: errors.Interrupt | None = None
        self.lines: deque[dict[str, Any]] | None = None
        self.batch_id: UUID | None = None

    def report(
        self, done: float | None = None, total: float | None = None, msg: str = "", **more: Any
    ) -> None:
        """Say how far the job is; shown live. Written by the next beat, so it may be called often.

        Raises TypeError for what is not JSON.
        """
        progress: dict[str, Any] = {**more}
        if done is not None:
            progress["done"] = done
        if total:
            progress["total"] = total
            progress["pct"] = round(100 * (done or 0) / total, 1)
        if msg:
            progress["msg"] = msg
        self.progress, self.progress_dirty = _checked(progress), True

    def save_checkpoint(self, value: Any) -> None:
        """Keep a JSON value for the next attempt, should this one not end well.

        Raises TypeError for what is not JSON.
        """
        self.checkpoint, self.progress_dirty = _checked(value), True

    def check(self) -> None:
        """Raise JobCancelled, JobTimeout or LeaseLost if one of them is due. For long loops."""
        if self.interrupt is not None:
            raise self.interrupt

    def log(self, record: logging.LogRecord) -> None:
        """Keep a line for the page of the job."""
        if self.lines is None:
            self.lines = deque(maxlen=MAX_LOG_LINES)
        self.lines.append(
            {
                "at": record.created,
                "level": record.levelname,
                "message": storable(record.getMessage()[:MAX_LOG_CHARS]),
            }
        )


def _checked(value: Any) -> Any:
    """The value as JSON gives it back, so that whoever writes it never finds what he cannot write."""
    return orjson.loads(json_storable(value))


_current: ContextVar[JobContext | None] = ContextVar("current_job", default=None)


def current_job() -> JobContext | None:
    """The job that runs in this thread, or None."""
    return _current.get()


def enter(context: JobContext | None) -> None:
    """Make a context the current one (engine only)."""
    _current.set(context)


class JobLogHandler(logging.Handler):
    """Copies the lines that a job logs to its row."""

    ignores_rows = True  # those that lib.logs.log_rows writes are the engine's own

    def emit(self, record: logging.LogRecord) -> None:
        context = _current.get()
        if context is not None and not record.name.startswith("jobs.engine"):
            try:
                context.log(record)
            except Exception:  # noqa: BLE001 - a line that cannot be formed must not fail the job
                self.handleError(record)
