"""Flood limits: 30/s per bot, 1/s per chat with a short burst, 20/min per group.

Telegram publishes these numbers as a rule of thumb (bot FAQ); retry_after is the only word that
counts, and whoever sends during a pause makes it a little longer.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil

_SWEEP_FROM = 4096  # below so many tracked chats nobody needs to sweep


@dataclass(slots=True)
class LimitRules:
    """Numbers of the limits. A rate of 0 switches its limit off; enabled false all of them."""

    enabled: bool = True
    overall_per_s: float = 30.0
    overall_burst: int = 30
    chat_per_s: float = 1.0
    chat_burst: int = 3
    group_per_min: float = 20.0
    group_burst: int = 20
    prolong_s: float = 0.1  # by so much a refused request prolongs a running pause
    prolong_most_s: float = 5.0  # and never by more than this in one pause

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(slots=True)
class _Pause:
    until: float
    latest: float  # however many are refused, the pause ends here


Key = tuple[str, int, int]  # limit, bot, chat


class FloodLimits:
    """Token buckets by bot and chat, each kept as the moment when it is full again (GCRA)."""

    def __init__(self, rules: LimitRules | None = None) -> None:
        self.rules = rules or LimitRules()
        self._full_at: dict[Key, float] = {}
        self._pauses: dict[Key, _Pause] = {}
        self._sweep_at = _SWEEP_FROM

    def change(self, rules: LimitRules) -> None:
        """Take new numbers; pauses and used-up buckets are forgotten."""
        self.rules = rules
        self._full_at.clear()
        self._pauses.clear()

    def admit(self, bot_id: int, chat_id: int, now: float) -> int | None:
        """Take a token from every bucket of a send, or say how many seconds to wait.

        now is in seconds of any steady clock. Whole seconds of at least 1 come back, and nothing
        is taken then.
        """
        if not self.rules.enabled:
            return None
        buckets = list(self._buckets(bot_id, chat_id))
        waits = [self._wait(key, interval, burst, now) for key, interval, burst in buckets]
        longest = max(waits, default=0.0)
        if longest > 0:
            return max(1, ceil(longest))
        for key, interval, _ in buckets:
            self._full_at[key] = max(self._full_at.get(key, now), now) + interval
        if len(self._full_at) > self._sweep_at:
            self._sweep(now)
        return None

    def _buckets(self, bot_id: int, chat_id: int) -> Iterator[tuple[Key, float, int]]:
        rules = self.rules
        if rules.overall_per_s:
            yield ("bot", bot_id, 0), 1 / rules.overall_per_s, rules.overall_burst
        if rules.chat_per_s:
            yield ("chat", bot_id, chat_id), 1 / rules.chat_per_s, rules.chat_burst
        if rules.group_per_min and chat_id < 0:
            yield ("group", bot_id, chat_id), 60 / rules.group_per_min, rules.group_burst

    def _wait(self, key: Key, interval: float, burst: int, now: float) -> float:
        """Seconds until this bucket lets a send through; starts or prolongs its pause."""
        pause = self._pauses.get(key)
        if pause is not None:
            if now < pause.until:
                pause.until = min(pause.until + self.rules.prolong_s, pause.latest)
                return pause.until - now
            del self._pauses[key]
        lacking = self._full_at.get(key, now) - now - (burst - 1) * interval
        if lacking <= 1e-9:
            return 0.0
        until = now + max(1, ceil(lacking))
        self._pauses[key] = _Pause(until, until + self.rules.prolong_most_s)
        return until - now

    def _sweep(self, now: float) -> None:
        """Forget buckets that are full and pauses that are over."""
        self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        self._pauses = {key: pause for key, pause in self._pauses.items() if pause.until > now}
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._full_at))
