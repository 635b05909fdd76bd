"""What a client says over its socket, and what it is answered. Nothing it sends closes the socket,
but frames that are not text or too large (docs/inbox.md)."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import Error

from lib.errors import DomainError
from notifications.inbox import preferences, stream
from notifications.inbox.frames import dump, read_ack_frame, sync_frame
from notifications.inbox.hub.hub import Hub
from notifications.inbox.hub.screen import Screen
from notifications.inbox.positions import position_of
from notifications.inbox.shapes import ReadResult

NOT_TEXT = 4400
SYNC_AT_MOST = 100
QUESTIONS = 4  # of one socket at a time
SHOWN = 40  # characters of a type that we do not know

logger = logging.getLogger("switchboard.inbox")


class Refused(Exception):
    """The message cannot be used; `code` says why to a program."""

    def __init__(self, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class Incoming:
    """The ear of one socket. Called by the event loop for each message, so it never waits."""

    __slots__ = ("_count", "_hub", "_screen", "_second", "_tasks")

    def __init__(self, hub: Hub, screen: Screen) -> None:
        self._hub = hub
        self._screen = screen
        self._second = 0.0  # when the present second of its allowance began
        self._count = 0
        self._tasks: set[asyncio.Task[None]] | None = None

    def hear(self, text: str | None) -> None:
        """One message; None if it was not text."""
        if text is None:
            self._screen.wire.close(NOT_TEXT, "text frames only")
            return
        if not self._is_allowed():
            return
        try:
            kind, data = _parse(text)
            _ANSWERS[kind](self, data)
        except Refused as exc:
            self._refuse(exc)

    def end(self) -> None:
        """The socket is closed; nothing that is still under way has a reader."""
        for task in self._tasks or ():
            task.cancel()

    def _is_allowed(self) -> bool:
        now = time.monotonic()
        if now - self._second >= 1.0:
            self._second, self._count = now, 0
        self._count += 1
        if self._count <= settings.WS_MAX_FRAMES:
            return True
        if self._count == settings.WS_MAX_FRAMES + 1:
            self._refuse(
                Refused(
                    "slow_down", f"At most {settings.WS_MAX_FRAMES} frames per second; dropped."
                )
            )
            self._screen.wire.hold_reading(max(0.0, self._second + 1.0 - now))
        return False

    def _refuse(self, exc: Refused) -> None:
        self._say(dump("error", {"code": exc.code, "message": str(exc), **exc.data}))

    def _say(self, frame: str) -> None:
        self._screen.write_text(frame)

    # One for each type of message

    def _read(self, data: dict[str, Any]) -> None:
        given = data.get("notification_id")
        notification_id = _uuid(given)
        if notification_id is None:
            raise Refused("invalid", "notification_id must be a UUID.", notification_id=given)
        screen = self._screen
        screen.ask_read(str(notification_id))
        answer = self._hub.loader.reads.ask((screen.person.id, notification_id))
        answer.add_done_callback(partial(_answer_read, screen))

    def _sync(self, data: dict[str, Any]) -> None:
        limit = data.get("limit", SYNC_AT_MOST)
        if type(limit) is not int or not 1 <= limit <= SYNC_AT_MOST:
            raise Refused("invalid", f"limit must be a whole number from 1 to {SYNC_AT_MOST}.")
        before = None
        if data.get("before") is not None:
            try:
                before = position_of(data["before"])
            except DomainError as exc:
                raise Refused(exc.code, exc.message) from None
        person_id = self._screen.person.id
        self._begin(partial(_page, person_id, limit, before), lambda frame: frame)

    def _retention(self, data: dict[str, Any]) -> None:
        days = data.get("days")
        if type(days) is not int or not 1 <= days <= 15:
            raise Refused("invalid", "days must be a whole number from 1 to 15.")
        work = partial(preferences.retention_set, recipient_id=self._screen.person.id, days=days)
        self._begin(work, lambda _: dump("retention.set.ack", {"days": days}))

    def _ping(self, data: dict[str, Any]) -> None:
        self._say(dump("pong", data))

    def _begin(self, work: Callable[[], Any], answer: Callable[[Any], str]) -> None:
        """Ask for something in a thread, and say the answer."""
        if self._tasks is None:
            self._tasks = set()
        if len(self._tasks) >= QUESTIONS:
            raise Refused("slow_down", "Wait for the answers to what you asked before.")
        task = asyncio.get_running_loop().create_task(self._finish(work, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, work: Callable[[], Any], answer: Callable[[Any], str]) -> None:
        try:
            self._say(answer(await self._hub.in_thread(work)))
        except DomainError as exc:
            self._refuse(Refused(exc.code, exc.message))
        except Error as exc:
            logger.warning("inbox: a question could not be answered: %s", type(exc).__name__)
            self._refuse(Refused("unavailable", "Not possible now; try again."))


def _answer_read(screen: Screen, answer: "asyncio.Future[ReadResult]") -> None:
    if answer.cancelled():
        return
    if (failure := answer.exception()) is not None:
        if not isinstance(failure, Error):
            logger.error("inbox: reads failed", exc_info=failure)
        screen.write_text(dump("error", {"code": "unavailable", "message": "Send it again."}))
        return
    result = answer.result()
    notification_id = str(result.notification_id)
    if result.result == "unknown" or result.stream is None:
        data = {
            "code": "notification_unknown",
            "message": "You have no such notification.",
            "notification_id": notification_id,
        }
        screen.write_text(dump("error", data))
        return
    screen.answer_read(
        notification_id, result.position, read_ack_frame(notification_id, result.stream)
    )


def _page(recipient_id: int, limit: int, before: int | None) -> str:
    return sync_frame(stream.page(recipient_id, limit=limit, before=before))


def _parse(text: str) -> tuple[str, dict[str, Any]]:
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refused("malformed", "This is not JSON.") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Refused("malformed", 'A message is an object: {"type": "...", "data": {...}}.')
    kind = message["type"]
    if kind not in _ANSWERS:
        raise Refused("unknown_type", f"There is no message type {kind[:SHOWN]!r}.")
    data = message.get("data")
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise Refused("malformed", "data must be an object.")
    return kind, data


def _uuid(given: Any) -> UUID | None:
    if not isinstance(given, str) or len(given) > 45:
        return None
    try:
        return UUID(given)
    except ValueError:
        return None


_ANSWERS: dict[str, Callable[[Incoming, dict[str, Any]], None]] = {
    "notification.read": Incoming._read,  # noqa: SLF001 - ours
    "sync.request": Incoming._sync,  # noqa: SLF001
    "retention.set": Incoming._retention,  # noqa: SLF001
    "ping": Incoming._ping,  # noqa: SLF001
}
