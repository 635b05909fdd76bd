"""All sockets of this process, and the one stream of changes that feeds them."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections, transaction

from notifications.inbox import keys, pods, presence
from notifications.inbox.hub.batch import Batch
from notifications.inbox.hub.loader import Loader, positions
from notifications.inbox.hub.metrics import METRICS
from notifications.inbox.hub.person import Person
from notifications.inbox.hub.pushes import EVERY_S, Pushed, pushes_write
from notifications.inbox.hub.screen import Screen
from notifications.inbox.hub.subscription import Subscription
from notifications.inbox.hub.wire import TOO_SLOW
from notifications.inbox.presence import Everybody, Gone, Here, Note

THREADS = 6
HOLE_S = 0.05  # a change that overtook another is given this long
CHECK_S = 20.0
CHECK_AWAY_S = 1.0  # while Redis is away
STAY_S = 5.0  # a person without sockets is followed on for this long
AGAIN_S = 0.5  # after Postgres refused

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
        self._holes: set[Person] = set()
        self._delivered: list[tuple[str, int, int, str]] = []
        self._hole_seen = asyncio.Event()
        self._check_now = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="inbox-hub")
        self.loader = Loader(self._executor)
        self._pushes: Batch[Pushed] = Batch(self._executor, pushes_write, every_s=EVERY_S)
        self._presence: Batch[Note] = Batch(
            self._executor, self._write_presence, every_s=presence.EVERY_S
        )
        self._control = keys.CONTROL.encode()
        self._subscription = Subscription(
            settings.REDIS_URL, self._hear, self._check_now.set, always=[self._control]
        )

    # Its life

    def start(self) -> None:
        """Begin to listen, check and beat. Safe to repeat."""
        if self._tasks:
            return
        METRICS.connections = lambda: self.connections
        work = (self._subscription.run(), self._fill_holes(), self._check(), self._keep_beating())
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

    def delivered(self, notification_id: str, position: int, screens: list[Screen]) -> None:
        """A notification was written to these screens; its position is when it was accepted."""
        if not self._delivered:
            asyncio.get_running_loop().call_soon(self._note_delivered)
        devices = (
            screens[0].client_id
            if len(screens) == 1
            else ",".join([screen.client_id for screen in screens])
        )
        self._delivered.append((notification_id, position, len(screens), devices))

    def _note_delivered(self) -> None:
        """All that was delivered in this turn of the loop, at once: there may be thousands a second."""
        delivered, self._delivered = self._delivered, []
        now_ms = time.time() * 1000
        METRICS.delivered([(now_ms - position, count) for _, position, count, _ in delivered])
        self._pushes.extend([(each_id, now_ms, devices) for each_id, _, _, devices in delivered])

    def showed(self, notification_ids: Iterable[str], screen: Screen) -> None:
        """A screen was sent notifications that were waiting for it."""
        now_ms = time.time() * 1000
        self._pushes.extend([(each_id, now_ms, screen.client_id) for each_id in notification_ids])

    def has_hole(self, person: Person) -> None:
        """Something is missing before what a person has been sent from elsewhere."""
        self._holes.add(person)
        self._hole_seen.set()

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
                self._send_away()
            return
        head, _, frame = payload.partition(b"\n")
        try:
            position, prev, kind, notification_id = head.decode().split(" ")
            change = int(position), int(prev), kind, notification_id, frame
        except ValueError:
            logger.warning("inbox: a message that is none of ours on %r", channel)
            return
        person.take(*change)

    def _send_away(self) -> None:
        """What everybody has been told leads nowhere: close, so that they come back and sync."""
        for person in list(self._people.values()):
            self._send_away_from(person)

    def _send_away_from(self, person: Person) -> None:
        person.forget()
        for screen in list(person.screens):
            screen.wire.close(TOO_SLOW, "reconnect and sync")

    # Its work

    async def _fill_holes(self) -> None:
        while True:
            await self._hole_seen.wait()
            await asyncio.sleep(HOLE_S)
            self._hole_seen.clear()
            people, self._holes = self._holes, set()
            await self._catch_up([each for each in people if each.is_waiting])

    async def _check(self) -> None:
        """Compare where people stand here and in Postgres: what was published while we could not hear."""
        while True:
            pause = CHECK_S if self._subscription.is_up else CHECK_AWAY_S
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._check_now.wait(), pause)
            self._check_now.clear()
            known = [each for each in self._people.values() if each.last is not None]
            try:
                found = await self.in_thread(partial(positions, [each.id for each in known]))
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
                found = await self.loader.changes.ask((person.id, person.last))
            except Error as exc:
                logger.warning("inbox: holes cannot be filled: %s", type(exc).__name__)
                await asyncio.sleep(AGAIN_S)
                continue
            if found.complete:
                person.catch_up(found)
            else:
                self._send_away_from(person)

    async def _keep_beating(self) -> None:
        while True:
            await self.beat()
            await asyncio.sleep(pods.BEAT.total_seconds())

    async def in_thread(self, work: "partial[Any] | Any") -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, _closing, work)


@cache
def the_hub() -> Hub:
    """The hub of this process."""
    return Hub()


def _is_behind(person: Person, found: dict[int, int]) -> bool:
    return person.last is not None and person.last < found.get(person.id, 0)


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
