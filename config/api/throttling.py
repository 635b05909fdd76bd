"""How many requests one account may make. Redis counts them, for all web processes together."""

import logging
from dataclasses import dataclass
from time import monotonic, time
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.cache import cache
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:  # this module is named in the settings that rest_framework.views loads
    from rest_framework.views import APIView

PERIODS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Without Redis nothing is counted: we would rather serve. It is asked again after this time, so
# that a Redis that does not even refuse costs one request its connect timeout, not every request.
AWAY_S = 5.0

logger = logging.getLogger("switchboard.api")


@dataclass(frozen=True, slots=True)
class Quota:
    """What one caller may do: `limit` requests in `period_s`."""

    key: str
    limit: int
    period_s: int


class AccountThrottle(BaseThrottle):
    """So many requests per account as DEFAULT_THROTTLE_RATES["account"] says.

    Without an account ["anon"] holds per address. A sliding window out of two counters, one round
    trip: the window before counts by the part of it that is still within reach. DRF's own throttle
    would store each moment, 2,000 of them a second.
    """

    away_until: ClassVar[float] = 0.0  # monotonic; one for the process

    def __init__(self) -> None:
        self._wait_s: float | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        quota = quota_of(request)
        if quota is None:
            return True
        used, elapsed = spend(quota, 1)
        if used <= quota.limit:
            return True
        self._wait_s = quota.period_s - elapsed
        return False

    def wait(self) -> float | None:
        return self._wait_s


def quota_of(request: Request) -> Quota | None:
    """The quota of whoever asks; None: as many as they like."""
    if request.user.is_authenticated:
        scope, who = "account", str(request.user.pk)
    else:
        scope, who = "anon", request.META.get("REMOTE_ADDR") or "unknown"
    rate: Any = api_settings.DEFAULT_THROTTLE_RATES.get(scope)
    return Quota(f"throttle:{scope}:{who}", *parse_rate(rate)) if rate else None


def spend(quota: Quota, amount: int) -> tuple[float, float]:
    """Count so many requests. Returns how many the window holds now, and the seconds since it began.

    Without Redis it holds none.
    """
    if monotonic() < AccountThrottle.away_until:
        return 0.0, 0.0
    try:
        return _count(quota.key, quota.period_s, amount)
    except RedisError as exc:
        AccountThrottle.away_until = monotonic() + AWAY_S
        logger.warning("requests are not counted, Redis is away: %s", type(exc).__name__)
        return 0.0, 0.0


def parse_rate(rate: str) -> tuple[int, int]:
    """(requests, seconds) of "2000/s", "10/min", "5/h". Raises ValueError."""
    count, _, period = rate.partition("/")
    if not count.isdigit() or int(count) < 1 or period[:1] not in PERIODS_S:
        raise ValueError(f"{rate!r} is not a rate such as 2000/s or 10/min")
    return int(count), PERIODS_S[period[0]]


def _count(key: str, period_s: int, amount: int) -> tuple[float, float]:
    window, elapsed = divmod(time(), period_s)
    this, last = cache.make_key(f"{key}:{window:.0f}"), cache.make_key(f"{key}:{window - 1:.0f}")
    with get_redis_connection("default").pipeline(transaction=False) as pipe:
        pipe.incrby(this, amount)
        pipe.expire(this, period_s * 2)
        pipe.get(last)
        now, _, before = pipe.execute()
    return int(now) + int(before or 0) * (1 - elapsed / period_s), elapsed
