"""What people missed is fetched from Postgres: holes in their chains, and what we could not hear."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from django.db import Error

from notifications.inbox.hub.loader import Loader, positions
from notifications.inbox.hub.person import Person
from notifications.inbox.hub.wire import TOO_SLOW

HOLE_S = 0.05  # a change that overtook another is given this long
CHECK_S = 20.0
CHECK_AWAY_S = 1.0  # while Redis is away
AGAIN_S = 0.5  # after Postgres refused

logger = logging.getLogger("switchboard.inbox")


class Mender:
    """Of one hub. people: those who are followed, as they are at any moment; can_hear: is Redis there?

    `fill_holes` and `check` never end, and are run once each.
    """

    def __init__(
        self,
        people: Mapping[int, Person],
        loader: Loader,
        *,
        can_hear: Callable[[], bool],
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
    ) -> None:
        self._people = people
        self._loader = loader
        self._can_hear = can_hear
        self._in_thread = in_thread
        self._holes: set[Person] = set()
        self._hole_seen = asyncio.Event()
        self._check_now = asyncio.Event()

    def has_hole(self, person: Person) -> None:
        """Something is missing before what a person has been sent from elsewhere."""
        self._holes.add(person)
        self._hole_seen.set()

    def check_soon(self) -> None:
        """It may be that something was published which we did not hear."""
        self._check_now.set()

    async def fill_holes(self) -> None:
        """Ask for what did not come by itself."""
        while True:
            await self._hole_seen.wait()
            await asyncio.sleep(HOLE_S)
            self._hole_seen.clear()
            people, self._holes = self._holes, set()
            await self._catch_up([each for each in people if each.is_waiting])

    async def check(self) -> None:
        """Compare where people stand here and in Postgres: what was published while we could not hear."""
        while True:
            pause = CHECK_S if self._can_hear() else CHECK_AWAY_S
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._check_now.wait(), pause)
            self._check_now.clear()
            known = [each for each in self._people.values() if each.last is not None]
            try:
                found = await self._in_thread(partial(positions, [each.id for each in known]))
            except Error as exc:
                logger.warning("inbox: positions cannot be checked: %s", type(exc).__name__)
                await asyncio.sleep(AGAIN_S)
                self._check_now.set()
                continue
            behind = [each for each in known if _is_behind(each, found)]
            if behind:
                await asyncio.sleep(HOLE_S)  # it may be on its way
                await self._catch_up([each for each in behind if _is_behind(each, found)])

    async def _catch_up(self, people: list[Person]) -> None:
        people = [each for each in people if not each.is_asking and each.last is not None]
        for person in people:
            person.is_asking = True
        await asyncio.gather(*(self._catch_up_one(each) for each in people))

    async def _catch_up_one(self, person: Person) -> None:
        """Asks until Postgres answers; nothing passes the person by meanwhile."""
        while person.is_asking and person.last is not None:
            try:
                found = await self._loader.changes.ask((person.id, person.last))
            except Error as exc:
                logger.warning("inbox: holes cannot be filled: %s", type(exc).__name__)
                await asyncio.sleep(AGAIN_S)
                continue
            if found.complete:
                person.catch_up(found)
            else:
                send_away(person)


def send_away(person: Person) -> None:
    """What they have been told leads nowhere: close, so that they come back and sync."""
    person.forget()
    for screen in list(person.screens):
        screen.wire.close(TOO_SLOW, "reconnect and sync")


def _is_behind(person: Person, found: dict[int, int]) -> bool:
    return person.last is not None and person.last < found.get(person.id, 0)
