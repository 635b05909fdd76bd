"""What a piece of work carries along: the id that ties a request, its jobs and its calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

# Empty outside of a request or a job. A thread starts with an empty one; an asyncio task inherits.
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")


def new_correlation_id() -> str:
    """A fresh id, 32 lower-case hex digits. It is not set; see `correlated`."""
    return uuid4().hex


@contextmanager
def correlated(value: str = "") -> Iterator[str]:
    """Run the block under an id (a new one if empty) and put the former one back."""
    token = correlation_id.set(value or new_correlation_id())
    try:
        yield correlation_id.get()
    finally:
        correlation_id.reset(token)
