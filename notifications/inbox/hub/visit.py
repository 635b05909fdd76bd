"""One visit of a socket, from the handshake to its end: who is it, what has it missed, what comes."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.db import Error

from lib import clock
from lib.ids import uuid7
from notifications.inbox import origins, tickets
from notifications.inbox.errors import StreamIdInvalid
from notifications.inbox.frames import dump, push_frame
from notifications.inbox.hub.hub import Hub
from notifications.inbox.hub.incoming import Incoming
from notifications.inbox.hub.screen import Screen
from notifications.inbox.hub.wire import TOO_SLOW, Wire, encode
from notifications.inbox.positions import position_of, stream_id
from notifications.inbox.presence import Here
from notifications.inbox.requests import target_check
from notifications.inbox.shapes import Changes, Snapshot

NO_IDENTITY, BAD_ORIGIN, TICKET_LATE, TICKET_USED, TOO_MANY = 4401, 4403, 4408, 4409, 4429
FAILED, RESTART, UNAVAILABLE = 1011, 1012, 1013
CHUNK_BYTES = 64 * 1024
SYNC_S = 30.0  # a reader that does not take its sync in this time is too slow
EARLY_WORDS = 20  # messages of a client before we know who it is

logger = logging.getLogger("switchboard.inbox")


class TurnedAway(Exception):
    """This socket may not stay; `code` is its close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who it says it is, and where it stopped reading, if it says so."""

    user_id: int
    login: str
    device: str
    address: str | None
    user_agent: str
    known: tuple[str, int] | None  # (epoch, position)


class Visit:
    """An accepted socket. `begin` runs in a task of its own until it is live, `end` when it is gone."""

    __slots__ = ("_hub", "_incoming", "_screen", "_wire", "_words")

    def __init__(self, hub: Hub, wire: Wire) -> None:
        self._hub = hub
        self._wire = wire
        self._screen: Screen | None = None
        self._incoming: Incoming | None = None
        self._words: list[str | None] = []  # said before we know who it is
        hub.connections += 1
        wire.listen(self._words.append)

    async def begin(self, scope: Mapping[str, Any]) -> None:
        """Let it in, show it what it has missed, and let it hear what comes; or close it."""
        try:
            visitor, person_id = await _admit(self._hub, scope)
            await self._settle(visitor, person_id)
        except TurnedAway as exc:
            self._wire.close(exc.code, str(exc))
        except Error as exc:
            logger.warning("inbox: a socket cannot be served now: %s", type(exc).__name__)
            self._wire.close(UNAVAILABLE, "try again later")
        except Exception:
            logger.exception("inbox: a socket cannot be served")
            self._wire.close(FAILED, "an error of ours")

    def end(self) -> None:
        """The socket is closed."""
        self._hub.connections -= 1
        if self._incoming is not None:
            self._incoming.end()
        if self._screen is not None:
            self._hub.part(self._screen)

    async def _settle(self, visitor: Visitor, person_id: int) -> None:
        hub = self._hub
        person = hub.person(person_id, visitor.user_id, visitor.login)
        if len(person.screens) >= settings.WS_MAX_PER_USER:
            raise TurnedAway(TOO_MANY, "too many connections of this person")
        client_id = uuid7()
        self._screen = screen = Screen(client_id, self._wire, person)
        here = Here(
            str(client_id), person_id, visitor.user_id, visitor.login, visitor.device,
            visitor.address, visitor.user_agent, clock.now(),
        )  # fmt: skip
        await hub.join(screen, here)
        position = await _show_past(hub, screen, visitor.known)
        self._incoming = incoming = Incoming(hub, screen)
        for word in self._words[:EARLY_WORDS]:
            incoming.hear(word)
        self._words.clear()
        self._wire.listen(incoming.hear)
        await hub.go_live(screen, position)


async def _admit(hub: Hub, scope: Mapping[str, Any]) -> tuple[Visitor, int]:
    """(who it is, the id of that recipient). Raises TurnedAway."""
    if hub.is_draining:
        raise TurnedAway(RESTART, "restart")
    if hub.connections > settings.WS_MAX_CONNECTIONS:
        raise TurnedAway(TOO_MANY, "too many connections")
    if not origins.origin_ok(scope):
        raise TurnedAway(BAD_ORIGIN, "this page may not connect here")
    given = {
        name: values[-1]
        for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()
    }
    user_id, login = await _identity(hub, given)
    headers = dict(scope["headers"])
    client = scope.get("client")
    visitor = Visitor(
        user_id=user_id,
        login=login,
        device=_short(given.get("device", ""), 80),
        address=client[0] if client else None,
        user_agent=_short(headers.get(b"user-agent", b"").decode("latin-1"), 200),
        known=_known(given),
    )
    return visitor, await hub.loader.recipients.ask((user_id, login))


async def _identity(hub: Hub, given: Mapping[str, str]) -> tuple[int, str]:
    if "ticket" in given:
        try:
            ticket = tickets.ticket_read(given["ticket"])
        except tickets.TicketLate:
            raise TurnedAway(TICKET_LATE, "the ticket is too old") from None
        except tickets.TicketInvalid:
            raise TurnedAway(NO_IDENTITY, "this is no ticket") from None
        if not await hub.loader.tickets.ask((ticket.jti, ticket.expires_at)):
            raise TurnedAway(TICKET_USED, "the ticket was used")
        return ticket.user_id, ticket.login
    if not settings.OPEN_IDENTITY:
        raise TurnedAway(NO_IDENTITY, "a ticket is needed")
    login, number = given.get("login", ""), given.get("user_id", "")
    if not (number.isascii() and number.isdigit() and len(number) < 20):
        raise TurnedAway(NO_IDENTITY, "user_id must be a whole number")
    if wrong := target_check(int(number), login):
        raise TurnedAway(NO_IDENTITY, wrong)
    return int(number), login


def _known(given: Mapping[str, str]) -> tuple[str, int] | None:
    try:
        return given["epoch"], position_of(given["stream_id"])
    except (KeyError, StreamIdInvalid):
        return None


def _short(text: str, limit: int) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:limit]


async def _show_past(hub: Hub, screen: Screen, known: tuple[str, int] | None) -> int:
    """Send what it has missed, or a picture of the whole. Returns the position of that."""
    if known is not None:
        epoch, position = known
        changes = await hub.loader.changes.ask((screen.person.id, position))
        if changes.epoch == epoch and changes.complete and position <= changes.last_position:
            await _show_changes(screen, changes)
            return changes.last_position
    snapshot = await hub.loader.snapshots.ask(screen.person.id)
    await _show_snapshot(hub, screen, snapshot)
    return snapshot.last_position


async def _show_changes(screen: Screen, changes: Changes) -> None:
    _show_session(screen, changes, recovered=True, follows=len(changes.missed))
    await _show(screen.wire, (missed.frame for missed in changes.missed))


async def _show_snapshot(hub: Hub, screen: Screen, snapshot: Snapshot) -> None:
    rows = [*snapshot.pending, *snapshot.recent]
    _show_session(screen, snapshot, recovered=False, follows=len(rows))
    await _show(screen.wire, (push_frame(row) for row in rows))
    hub.showed((row.notification_id for row in snapshot.pending), screen)


def _show_session(
    screen: Screen, past: Snapshot | Changes, *, recovered: bool, follows: int
) -> None:
    screen.write_text(
        dump(
            "session",
            {
                "client_id": screen.client_id,
                "epoch": past.epoch,
                "recovered": recovered,
                "last_stream_id": stream_id(past.last_position),
                "unread": past.unread,
                "ping_s": int(settings.WS_PING.total_seconds()),
                "follows": follows,
            },
        )
    )


async def _show(wire: Wire, frames: Iterable[str]) -> None:
    """Send many frames, not faster than they are taken. Raises TurnedAway."""
    chunk, size = [], 0
    for frame in frames:
        encoded = encode(frame.encode())
        chunk.append(encoded)
        size += len(encoded)
        if size >= CHUNK_BYTES:
            wire.write(b"".join(chunk))
            chunk, size = [], 0
            try:
                await asyncio.wait_for(wire.drain(), SYNC_S)
            except TimeoutError:
                raise TurnedAway(TOO_SLOW, "too slow a reader: reconnect and sync") from None
    if chunk:
        wire.write(b"".join(chunk))
