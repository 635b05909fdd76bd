"""All sockets of this process, and the one stream of changes that feeds them."""

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections, transaction

from notifications.inbox import keys, pods, presence
from notifications.inbox.hub.batch import Batch
from notifications.inbox.hub.loader import Loader
from notifications.inbox.hub.mender import HOLE_S, Mender, send_away
from notifications.inbox.hub.metrics import METRICS
from notifications.inbox.hub.person import Person
from notifications.inbox.hub.pushes import Pushes
from notifications.inbox.hub.screen import Screen
from notifications.inbox.hub.subscription import Subscription
from notifications.inbox.hub.wire import TOO_SLOW
from notifications.inbox.presence import Everybody, Gone, Here, Note

THREADS = 6
STAY_S = 5.0  # a person without sockets is followed on for this long

logger = logging.getLogger("switchboard.inbox")


class Hub:
    """One per process, in its event loop. `start` it before the first socket."""

    def __init__(self) -> None:
        self.is_draining = False
        self._has_beaten = False
        self.address = ""
        self.connections = 0
        self._people: dict[int, Person] = {}
        self._by_channel: dict[bytes, Person] = {}
        self._here: dict[str, Here] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="inbox-hub")
        self.loader = Loader(self._executor)
        self._pushes = Pushes(self._executor)
        self.delivered, self.showed = self._pushes.delivered, self._pushes.showed
        self._presence: Batch[Note] = Batch(
            self._executor, self._write_presence, every_s=presence.EVERY_S
        )
        self._mender = Mender(
            self._people,
            self.loader,
            can_hear=lambda: self._subscription.is_up,
            in_thread=self.in_thread,
        )
        self.has_hole = self._mender.has_hole
        self._control = keys.CONTROL.encode()
        self._subscription = Subscription(
            settings.REDIS_URL, self._hear, self._mender.check_soon, always=[self._control]
        )

    # Its life

    def start(self) -> None:
        """Begin to listen, check and beat. Safe to repeat."""
        if self._tasks:
            return
        METRICS.connections = lambda: self.connections
        work = (
            self._subscription.run(),
            self._mender.fill_holes(),
            self._mender.check(),
            self._keep_beating(),
        )
        self._tasks = [asyncio.get_running_loop().create_task(_go_on(each)) for each in work]

    async def stop(self) -> None:
        """Write what is left, and say farewell to the other pods."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._presence.flush()
        await self._pushes.flush()
        with suppress(Error):
            await self.in_thread(pods.pod_leave)
        self._executor.shutdown(wait=False)

    async def beat(self) -> None:
        """Say now that this pod lives, and how many it holds."""
        try:
            is_known = await self.in_thread(
                partial(
                    pods.pod_beat, address=self.address, connections=self.connections,
                    users=len(self._people), draining=self.is_draining,
                )
            )  # fmt: skip
            if not is_known or not self._has_beaten:  # others took it for dead, or it is new
                self._has_beaten = True
                self._presence.add(Everybody(tuple(self._here.values())))
        except Error as exc:
            logger.warning("inbox: this pod could not beat: %s", type(exc).__name__)

    async def _keep_beating(self) -> None:
        while True:
            await self.beat()
            await asyncio.sleep(pods.BEAT.total_seconds())

    async def in_thread(self, work: "partial[Any] | Any") -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, _closing, work)

    # Its sockets

    def screens(self) -> Iterator[Screen]:
        """All of them, as they are now."""
        return iter([each for person in self._people.values() for each in person.screens])

    def person(self, recipient_id: int, user_id: int, login: str) -> Person:
        """The person, here from now on; give a screen to it before anything is awaited."""
        person = self._people.get(recipient_id)
        if person is None:
            channel = keys.channel(recipient_id).encode()
            person = Person(self, recipient_id, user_id, login, channel)
            self._people[recipient_id] = self._by_channel[channel] = person
        return person

    async def join(self, screen: Screen, here: Here) -> None:
        """Let changes flow to a screen; until it is live they gather in `screen.early`."""
        screen.person.screens.append(screen)
        self._here[here.client_id] = here
        self._presence.add(here)
        await self._subscription.follow(screen.person.channel)

    def part(self, screen: Screen) -> None:
        """The socket is closed."""
        person = screen.person
        if screen in person.screens:
            person.screens.remove(screen)
        if screen in person.live:
            person.live.remove(screen)
        if self._here.pop(screen.client_id, None) is not None:
            self._presence.add(Gone(screen.client_id))
        if not person.screens:
            asyncio.get_running_loop().call_later(STAY_S, self._leave, person)

    async def go_live(self, screen: Screen, position: int) -> None:
        """Bring a screen in step with its person. position: of the picture that it was sent."""
        person = screen.person
        while screen.wire.is_open:
            position = screen.replay(position)
            if person.last is None:
                person.begin(position)
                position = screen.replay(position)
            if person.is_asking or position > (person.last or 0):
                if not await person.movement(HOLE_S * 4):
                    self.has_hole(person)
            elif position == person.last:
                screen.early = None
                person.live.append(screen)
                return
            else:
                found = await self.loader.changes.ask((person.id, position))
                if not found.complete:
                    screen.wire.close(TOO_SLOW, "too much was missed: reconnect and sync")
                    return
                for missed in found.missed:
                    screen.write_text(missed.frame)
                position = found.last_position

    def _write_presence(self, notes: Sequence[Note]) -> None:
        with transaction.atomic():
            presence.presence_write(notes)
            pods.pod_count(connections=self.connections, users=len(self._people))

    def _leave(self, person: Person) -> None:
        if not person.screens and self._people.get(person.id) is person:
            del self._people[person.id]
            del self._by_channel[person.channel]
            self._subscription.leave(person.channel)

    # What it hears

    def _hear(self, channel: bytes, payload: bytes) -> None:
        person = self._by_channel.get(channel)
        if person is None:
            if channel == self._control and payload == b"epoch":
                logger.warning("inbox: history was lost; everybody syncs anew")
                for each in list(self._people.values()):
                    send_away(each)
            return
        head, _, frame = payload.partition(b"\n")
        try:
            position, prev, kind, notification_id = head.decode().split(" ")
            change = int(position), int(prev), kind, notification_id, frame
        except ValueError:
            logger.warning("inbox: a message that is none of ours on %r", channel)
            return
        person.take(*change)


@cache
def the_hub() -> Hub:
    """The hub of this process."""
    return Hub()


def _closing(work: Any) -> Any:
    try:
        return work()
    finally:
        close_old_connections()


async def _go_on(work: Coroutine[Any, Any, None]) -> None:
    """A part of the hub that fails takes the process down: half a hub would lose what it promises."""
    try:
        await work
    except Exception:
        logger.critical("inbox: a part of the hub failed", exc_info=True)
        os.kill(os.getpid(), signal.SIGTERM)
        raise
