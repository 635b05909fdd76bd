"""Asking the database from the event loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


async def apart(work: Callable[[], T]) -> T:
    """Do it in a thread, with a connection that goes back when it is done."""

    def whole() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(whole)
