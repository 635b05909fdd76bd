"""Who is asking, remembered for a few seconds: for a door through which thousands of requests pass."""

import asyncio
from dataclasses import dataclass
from hashlib import blake2b
from time import monotonic
from typing import Any
from weakref import WeakValueDictionary

from django.conf import settings
from django.db import connections
from rest_framework.request import Request
from rest_framework.views import APIView

# A token that was revoked, or lost its permission, opens the door for so long.
KEPT_S = 5.0
MOST = 10_000  # callers that are remembered


@dataclass(frozen=True, slots=True)
class _Known:
    user: Any
    auth: Any
    until: float  # monotonic


class Callers:
    """Authenticates and permits as a DRF view does, and asks the database once per caller and KEPT_S.

    Only who may go in is remembered: a stranger is asked about each time. Lives on one event loop.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}
        self._locks: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def admit(self, view: APIView, request: Request) -> None:
        """Set request.user and request.auth. Raises what the view's own authentication raises."""
        key = _key(view, request)
        known = self._remembered(key)
        if known is None:
            known = await self._asked(key, view, request)
        request.user, request.auth = known.user, known.auth

    async def _asked(self, key: bytes, view: APIView, request: Request) -> _Known:
        lock = self._locks.get(key) or asyncio.Lock()
        self._locks[key] = lock
        async with lock:  # one of those who wait asks for all
            known = self._remembered(key)
            if known is None:
                known = await asyncio.to_thread(_ask, view, request)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = known
        return known

    def _remembered(self, key: bytes) -> _Known | None:
        known = self._known.get(key)
        return known if known is not None and monotonic() < known.until else None


def _key(view: APIView, request: Request) -> bytes:
    """What decides who it is. Not the token itself: it need not lie about in memory."""
    said = request.META.get("HTTP_AUTHORIZATION", "")
    scope = f"{type(view).__qualname__} {settings.OPEN_IDENTITY} {said}"
    return blake2b(scope.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _ask(view: APIView, request: Request) -> _Known:
    began = monotonic()
    try:
        view.perform_authentication(request)
        view.check_permissions(request)
        return _Known(request.user, request.auth, began + KEPT_S)
    finally:
        connections.close_all()  # this thread belongs to nobody
