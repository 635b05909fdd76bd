"""An account's rate, taken by the handful: for a door through which thousands of requests pass."""

import asyncio
from dataclasses import dataclass
from time import monotonic
from weakref import WeakValueDictionary

from rest_framework.request import Request

from config.api.throttling import Quota, quota_of, spend

HANDFULS = 100  # a handful is this part of the rate


@dataclass(frozen=True, slots=True)
class _Handful:
    """Requests that are counted in Redis already and may pass here until their window ends."""

    left: int
    until: float  # monotonic
    is_scant: bool  # the rate is nearly used up: ask for each request by itself


class Allowance:
    """The same counters as AccountThrottle, asked once per handful instead of once per request.

    Nobody gets more than the rate, and each process may leave a handful of it unused per window.
    A rate below 200 has handfuls of one, so that it is exact. Lives on one event loop.
    """

    def __init__(self) -> None:
        self._held: dict[str, _Handful] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def wait_s(self, request: Request) -> float | None:
        """None: go on. Else the request is refused, and may be tried again after so many seconds."""
        quota = quota_of(request)
        if quota is None or self._passes(quota):
            return None
        lock = self._locks.get(quota.key) or asyncio.Lock()
        self._locks[quota.key] = lock
        async with lock:  # one of those who wait asks for all
            if self._passes(quota):
                return None
            return await asyncio.to_thread(self._take, quota)

    def _passes(self, quota: Quota) -> bool:
        held = self._held.get(quota.key)
        if held is None or not held.left or monotonic() >= held.until:
            return False
        self._held[quota.key] = _Handful(held.left - 1, held.until, held.is_scant)
        return True

    def _take(self, quota: Quota) -> float | None:
        held = self._held.get(quota.key)
        is_scant = held is not None and held.is_scant and monotonic() < held.until
        handful = 1 if is_scant else max(1, quota.limit // HANDFULS)
        used, elapsed = spend(quota, handful)
        if used > quota.limit and handful > 1:
            spend(quota, -handful)
            handful = 1
            used, elapsed = spend(quota, 1)
        rest_s = quota.period_s - elapsed
        is_over = used > quota.limit
        self._held[quota.key] = _Handful(
            0 if is_over else handful - 1, monotonic() + rest_s, is_scant=handful == 1
        )
        return rest_s if is_over else None
