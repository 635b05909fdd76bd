"""One look at the tables per second for all consoles of this process, while there are any."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from time import time
from typing import Any

import orjson
from django.db import Error

from notifications.inbox.live import picture
from notifications.inbox.live.apart import apart

EVERY_S = 1.0
SHARE = 0.1  # of the time is spent looking, at most: a slow database is asked less often
KEPT_S = 600  # of the latency chart
LATE_S = 5  # pushes are written in batches: a second is final when it is so old

logger = logging.getLogger("switchboard.inbox")


class Latency:
    """The points of the chart, by second."""

    def __init__(self) -> None:
        self._points: dict[float, list[float]] = {}

    def look(self) -> picture.Part:
        """Take in what is new, and give all of the last ten minutes. Blocks: it asks the database."""
        span = LATE_S if self._points else KEPT_S
        for at, count, *parts in picture.latency(span):
            # A look takes in so many pushes; a second that is older by now may have lost some again.
            if count >= self._points.get(at, [at, 0])[1]:
                self._points[at] = [at, count, *parts]
        oldest = time() - KEPT_S
        self._points = {at: point for at, point in self._points.items() if at > oldest}
        return {"points": [self._points[at] for at in sorted(self._points)]}


class Watch:
    """Texts of frames {"type": "console.<part>", "data": {...}}, whenever a part has changed."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._texts: dict[str, str] = {}
        self._turned = asyncio.Event()
        self._followers = 0
        self._looking: asyncio.Task[None] | None = None

    async def texts(self) -> AsyncGenerator[str, None]:
        """Everything at first, then what changes. A slow follower skips what it was too slow for."""
        known: dict[str, str] = {}
        self._followers += 1
        if self._looking is None:
            self._turned = asyncio.Event()  # of the present event loop
            self._looking = asyncio.create_task(self._look())
        try:
            while True:
                turned = self._turned
                for name, text in list(self._texts.items()):
                    if known.get(name) != text:
                        known[name] = text
                        yield text
                await turned.wait()
        finally:
            self._followers -= 1
            if not self._followers and self._looking is not None:
                self._looking.cancel()
                self._looking, self._texts = None, {}

    async def _look(self) -> None:
        """Until nobody follows. A database that is away is told, and asked again."""
        loop = asyncio.get_running_loop()
        parts: dict[str, Callable[[], picture.Part]] = {
            "clients": picture.clients,
            "pending": picture.pending,
            "counts": picture.counts,
            "latency": Latency().look,
        }
        while True:
            began = loop.time()
            try:
                found = await apart(lambda: {name: look() for name, look in parts.items()})
                found["tick"] = {"at": time(), "trouble": ""}
            except Error as exc:
                logger.warning("inbox: the console sees nothing new: %s", type(exc).__name__)
                found = {"tick": {"at": time(), "trouble": "The database cannot be reached now."}}
            self._texts |= {name: _frame(name, part) for name, part in found.items()}
            turned, self._turned = self._turned, asyncio.Event()
            turned.set()
            spent = loop.time() - began
            await asyncio.sleep(max(self._every_s - spent, spent / SHARE if spent > 0.1 else 0))


async def follow(watch: Watch, tell: Callable[[str], Any]) -> None:
    """Tell every text until cancelled, or until tell() raises."""
    async with aclosing(watch.texts()) as texts:
        async for text in texts:
            await tell(text)


def _frame(name: str, part: picture.Part) -> str:
    return orjson.dumps({"type": f"console.{name}", "data": part}, option=orjson.OPT_UTC_Z).decode()
