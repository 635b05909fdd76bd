"""One look at the tables for all who follow the dashboard in this process: at each call, and each second.

Calls come by Redis (monitoring.dashboard.calling). Each frame is encoded once.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import Error

from monitoring.dashboard.calling import CHANNEL
from monitoring.dashboard.frames import Mark, frame, mark_read, news, tick
from monitoring.dashboard.reading import snapshot_row
from monitoring.dashboard.tasks import refresh_dashboard
from notifications.inbox.hub.subscription import Subscription
from notifications.inbox.hub.wire import encode
from notifications.inbox.live.apart import apart

POLL_S = 1.0  # a call that was lost, or a Redis that is away, costs so long
TICK_S = 10.0  # a screen that hears nothing for longer knows that the line is dead
LEAST_S = 0.02  # between two looks: what happens in a burst is shown together
FIGURES_S = 3  # after an event the figures are taken anew, so that they follow what is told
TROUBLE = "The database cannot be reached now; what you see is what was last known."

logger = logging.getLogger("switchboard.dashboard")


@dataclass(frozen=True, slots=True)
class Said:
    """A frame as text, and as the bytes that every socket is sent."""

    text: str
    wire: bytes


class Watch:
    """What there is to say. One per process; it looks and listens only while somebody follows."""

    def __init__(self, poll_s: float = POLL_S, tick_s: float = TICK_S) -> None:
        self._poll_s, self._tick_s = poll_s, tick_s
        self._said: dict[str, Said] = {}
        self._turned = asyncio.Event()
        self._called = asyncio.Event()
        self._followers = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def frames(self) -> AsyncGenerator[Said, None]:
        """Everything at first, then what changes. A slow follower skips what it was too slow for."""
        known: dict[str, Said] = {}
        self._followers += 1
        if not self._tasks:
            self._begin()
        try:
            while True:
                turned = self._turned
                for name, said in list(self._said.items()):
                    if known.get(name) is not said:
                        known[name] = said
                        yield said
                await turned.wait()
        finally:
            self._followers -= 1
            if not self._followers:
                self._end()

    def _begin(self) -> None:
        self._turned, self._called = asyncio.Event(), asyncio.Event()  # of the present event loop
        channel = CHANNEL.encode()
        hearing = Subscription(
            settings.REDIS_URL,
            lambda _channel, _payload: self._called.set(),
            self._called.set,
            always=[channel],
        )
        self._tasks = [asyncio.create_task(work) for work in (hearing.run(), self._look())]

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks, self._said = [], {}

    async def _look(self) -> None:
        """Until nobody follows. A database that is away is told, and asked again."""
        loop = asyncio.get_running_loop()
        mark: Mark = ()
        ticked_at = asked_at = float("-inf")
        while True:
            is_called = self._called.is_set()
            self._called.clear()
            before = mark
            try:
                mark, parts = await apart(partial(_news_since, before, is_called))
            except Error as exc:
                logger.warning("dashboard: nothing new is seen: %s", type(exc).__name__)
                parts, mark = {"tick": tick(TROUBLE)}, ()
            else:
                if not before or loop.time() - ticked_at >= self._tick_s:
                    parts["tick"] = tick()
            if "tick" in parts:
                ticked_at = loop.time()
            self._turn({name: frame(name, part) for name, part in parts.items()})
            if _is_event(before, mark) and loop.time() - asked_at >= FIGURES_S:
                asked_at = loop.time()
                await _figures_ask()
            await asyncio.sleep(LEAST_S)
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._called.wait()
            except TimeoutError:
                continue

    def _turn(self, texts: dict[str, str]) -> None:
        """Wake the followers, if any of it is new to them."""
        is_new = False
        for name, text in texts.items():
            if name not in self._said or self._said[name].text != text:
                self._said[name] = Said(text, encode(text.encode()))
                is_new = True
        if not is_new:
            return
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()


def _is_event(before: Mark, now: Mark) -> bool:
    """Has something happened, rather than a picture been taken?"""
    return bool(before and now) and before[0] != now[0]


async def _figures_ask() -> None:
    """Have a picture taken soon; the next one comes anyway."""
    try:
        await apart(partial(refresh_dashboard.enqueue, delay=f"{FIGURES_S}s"))
    except Error as exc:
        logger.warning("dashboard: no picture was asked for: %s", type(exc).__name__)


def _news_since(known: Mark, is_called: bool) -> tuple[Mark, dict[str, Any]]:
    """(the mark now, the parts that have changed since another one). Blocks: it asks the database.

    is_called: an event may be new and not the newest, if its transaction took longer than that of a
    later one; so who was called looks at all of them.
    """
    mark = mark_read()
    if mark == known and not is_called:
        return mark, {}
    parts = news()
    if not known or mark[1] != known[1]:
        parts["snapshot"] = snapshot_row()
    return mark, parts
