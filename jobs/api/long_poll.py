"""Answers that may wait: a lease that found nothing waits for a job, for up to 25 seconds.

The view itself is an ordinary DRF view: it checks everything and tries once. If it found nothing, its
response carries a LongPoll, and the wrapper below waits on the event loop, tries again when called,
and stops waiting when the caller hangs up. Under WSGI the loop is one of the request's own thread.
"""

import asyncio
import functools
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, HttpResponseBase
from rest_framework.response import Response
from rest_framework.settings import api_settings

from jobs.remote.leases import Granted, remote_hand_back
from jobs.remote.waiting import Waiter, room

# Many may be called at the same moment; the database need not meet them all at once.
_TURNSTILE = threading.BoundedSemaphore(8)

View = Callable[..., HttpResponseBase]


class LongPoll:
    """A response that is not final yet. `attempt` leases again; `fill` puts what it got into it."""

    def __init__(
        self,
        waiter: Waiter,
        wait_s: float,
        attempt: Callable[[], list[Granted]],
        fill: Callable[[Response, list[Granted]], None],
    ) -> None:
        self._waiter = waiter
        self._until = time.monotonic() + wait_s
        self._attempt = attempt
        self._fill = fill
        self._granted: list[Granted] = []

    async def answer(self, request: HttpRequest, response: Response) -> HttpResponseBase:
        """The response, as soon as there is something to say."""
        is_told = False
        try:
            _watch_for_stop()
            while await self._waiter.called(self._until - time.monotonic()):
                room.again(self._waiter)
                await sync_to_async(self._try)()
                if self._granted:
                    self._fill(response, self._granted)
                    break
            is_told = True
        except Exception as exc:  # noqa: BLE001 - we are outside of DRF, which would do the same
            handler: Any = api_settings.EXCEPTION_HANDLER
            refusal: HttpResponseBase = handler(exc, {"request": request})
            return refusal
        else:
            return response
        finally:
            room.leave(self._waiter)
            if not is_told:
                # Whoever hung up while we leased for them: nobody will work on these.
                await sync_to_async(self._give_back)()

    def _try(self) -> None:
        with _TURNSTILE:
            try:
                self._granted = self._attempt()
            finally:
                connection_rest()

    def _give_back(self) -> None:
        try:
            remote_hand_back(self._granted)
        finally:
            connection_rest()


def connection_rest() -> None:
    """Hold no connection while waiting, except inside of a transaction (of a test)."""
    if not connection.in_atomic_block:
        connection.close()


def long_polling(view: View) -> Callable[..., Any]:
    """Wrap a DRF view whose responses may carry a LongPoll as `long_poll`."""

    @functools.wraps(view)
    async def waiting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = await sync_to_async(view)(request, *args, **kwargs)
        poll: LongPoll | None = getattr(response, "long_poll", None)
        if poll is None or not isinstance(response, Response):
            return response
        return await poll.answer(request, response)

    return waiting


_watched: set[int] = set()


def _watch_for_stop() -> None:
    """When the server is told to stop, those who wait go home at once instead of in 25 seconds.

    Once per process, on the thread that may handle signals; the server's own handler runs first.
    """
    if _watched or threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if not callable(before):
            continue  # nobody stops gracefully here
        _watched.add(number)

        def stop(given: int, frame: FrameType | None, before: Callable[..., Any] = before) -> None:
            loop.call_soon_threadsafe(room.drain)
            before(given, frame)

        signal.signal(number, stop)
