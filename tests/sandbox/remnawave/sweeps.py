"""What the panel does by itself: EXPIRED every 30 s, LIMITED every 45 s, resets by strategy.

Due work is done when its time comes and, after a move of the clock, before that call is answered.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sandbox.remnawave.background import Background
from tests.sandbox.remnawave.life import Life
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.times import DAY_MS
from tests.sandbox.remnawave.user import PanelUser, Status, Strategy

# From here on the panel sends no event for a sweep at all.
EVENTS_LIMIT = 10_000
# Strategy -> hour and minute of its reset, UTC.
_RESET_AT = {
    Strategy.DAY: (0, 0),
    Strategy.WEEK: (0, 5),
    Strategy.MONTH: (0, 20),
    Strategy.MONTH_ROLLING: (0, 10),
}
LIFE_MS = 15_000
_HOUR_MS = 3_600_000
_OLD_NAMES = {-72: "expires_in_72_hours", -48: "expires_in_48_hours", -24: "expires_in_24_hours"}


class Sweeps:
    """Keeps the times of the next sweeps on the panel's clock."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._background = Background()
        self._life = Life(panel)
        self._is_running = False
        self.reset()

    def reset(self) -> None:
        """Begin anew at the present moment: nothing of the past is caught up."""
        now_ms = self._panel.now_ms()
        self._expired_ms = self._limited_ms = self._reset_ms = now_ms
        self._noticed_ms = self._lived_ms = now_ms
        self.counts: dict[str, int] = {"expired": 0, "limited": 0, "reset": 0}

    def start(self) -> None:
        """Run from now on beside the calls, once. Needs a running event loop."""
        if not self._is_running:
            self._is_running = True
            self._background.start(self._run())

    def follow(self) -> None:
        """After a move of the clock or other settings: do what is due, and wait anew."""
        self.run_due()
        self._panel.revision += 1
        if self._is_running:
            self._background.cancel()
            self._background.start(self._run())

    async def _run(self) -> None:
        while True:
            await self._panel.clock.sleep_until(self.next_due())
            self.run_due()

    def next_due(self) -> float:
        """Unix seconds of the panel's clock at which something is to be done."""
        settings = self._panel.settings
        due_ms = min(
            self._expired_ms + settings.expiry_every_s * 1000,
            self._limited_ms + settings.limited_every_s * 1000,
            self._reset_ms + 60_000,
            self._lived_ms + LIFE_MS,
        )
        return due_ms / 1000

    def run_due(self) -> None:
        """Whatever is due by now. A clock that went back begins anew."""
        now_ms = self._panel.now_ms()
        settings = self._panel.settings
        self._forget_future(now_ms)
        if now_ms - self._reset_ms >= 60_000:
            self._reset_by_strategy(self._reset_ms, now_ms)
            self._notice_expirations(self._noticed_ms, now_ms)
            self._reset_ms = self._noticed_ms = now_ms
        if now_ms - self._lived_ms >= LIFE_MS:
            self._lived_ms = now_ms
            self._life.beat()
        if now_ms - self._expired_ms >= settings.expiry_every_s * 1000:
            self._expired_ms = now_ms
            self.expire()
        if now_ms - self._limited_ms >= settings.limited_every_s * 1000:
            self._limited_ms = now_ms
            self.limit()

    def expire(self) -> int:
        """ACTIVE and LIMITED users whose time has passed become EXPIRED."""
        now_ms = self._panel.now_ms()
        due = [
            user
            for user in self._panel.users.rows
            if user.expire_ms < now_ms and user.status in (Status.ACTIVE, Status.LIMITED)
        ]
        for user in due:
            user.status = Status.EXPIRED
            user.updated_ms = now_ms
        self._announce("user.expired", due)
        self.counts["expired"] += len(due)
        return len(due)

    def limit(self) -> int:
        """ACTIVE users who used up their traffic become LIMITED; updatedAt stays as it was."""
        due = [
            user
            for user in self._panel.users.rows
            if user.limit_bytes
            and user.used_bytes >= user.limit_bytes
            and user.status is Status.ACTIVE
        ]
        for user in due:
            user.status = Status.LIMITED
        self._announce("user.limited", due)
        self._notice_thresholds()
        self.counts["limited"] += len(due)
        return len(due)

    def _reset_by_strategy(self, after_ms: int, now_ms: int) -> None:
        """Only LIMITED users are told, by user.enabled; nobody by user.traffic_reset."""
        if not self._panel.settings.resets_traffic:
            return
        for strategy in _RESET_AT:
            moments = occurrences(strategy, after_ms, now_ms)
            rows = self._panel.users.rows if moments else []
            users = [user for user in rows if user.strategy is strategy]
            for at_ms in moments:
                due = [user for user in users if _is_reset(user, at_ms)]
                limited = [user for user in due if user.status is Status.LIMITED]
                for user in due:
                    user.used_bytes = user.threshold = 0
                    user.reset_ms = at_ms
                for user in limited:
                    user.status = Status.ACTIVE
                self._announce("user.enabled", limited)
                self.counts["reset"] += len(due)

    def _notice_thresholds(self) -> None:
        percents = self._panel.settings.bandwidth_thresholds
        if not percents:
            return
        due: list[PanelUser] = []
        for user in self._panel.users.rows:
            if not user.limit_bytes or user.status is not Status.ACTIVE:
                continue
            reached = max(
                (p for p in percents if user.used_bytes * 100 >= user.limit_bytes * p), default=0
            )
            if reached > user.threshold:
                user.threshold = reached
                due.append(user)
        self._announce("user.bandwidth_usage_threshold_reached", due)

    def _notice_expirations(self, after_ms: int, now_ms: int) -> None:
        for hours in self._panel.settings.expiration_hours:
            due = [
                user
                for user in self._panel.users.rows
                if after_ms < user.expire_ms + hours * _HOUR_MS <= now_ms
            ]
            if self._panel.dialect.has_stream:
                self._announce("user.expiration", due, meta={"expiration": hours})
            else:
                self._announce(f"user.{_OLD_NAMES.get(hours, 'expired_24_hours_ago')}", due)

    def _announce(
        self, event: str, users: list[PanelUser], meta: dict[str, Any] | None = None
    ) -> None:
        if len(users) >= EVENTS_LIMIT:
            self._panel.revision += 1
            return
        for user in users:
            self._panel.announce(event, user, meta)

    def _forget_future(self, now_ms: int) -> None:
        self._expired_ms = min(self._expired_ms, now_ms)
        self._limited_ms = min(self._limited_ms, now_ms)
        self._reset_ms = min(self._reset_ms, now_ms)
        self._noticed_ms = min(self._noticed_ms, now_ms)
        self._lived_ms = min(self._lived_ms, now_ms)


def occurrences(strategy: Strategy, after_ms: int, until_ms: int) -> list[int]:
    """When a strategy's reset falls into a span, as unix milliseconds.

    Only the last one counts, of rolling months the last of each day: what lies before it leaves no
    trace.
    """
    hour, minute = _RESET_AT[strategy]
    day = datetime.fromtimestamp(after_ms / 1000, UTC).replace(
        hour=hour, minute=minute, second=0, microsecond=0
    )
    found: list[int] = []
    while (at_ms := round(day.timestamp() * 1000)) <= until_ms:
        if at_ms > after_ms and _falls_on[strategy](day):
            found.append(at_ms)
        day += timedelta(days=1)
    return found[-31:] if strategy is Strategy.MONTH_ROLLING else found[-1:]


_falls_on: dict[Strategy, Callable[[datetime], bool]] = {
    Strategy.DAY: lambda day: True,
    Strategy.WEEK: lambda day: day.weekday() == 0,
    Strategy.MONTH: lambda day: day.day == 1,
    Strategy.MONTH_ROLLING: lambda day: True,
}


def _is_reset(user: PanelUser, at_ms: int) -> bool:
    """Rolling months turn on the day of creation, or on the last day of a shorter month."""
    if user.strategy is not Strategy.MONTH_ROLLING:
        return True
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    created = datetime.fromtimestamp(user.created_ms / 1000, UTC)
    last_day = (at.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    is_day = at.day == min(created.day, last_day.day)
    return is_day and at_ms - user.created_ms >= 27 * DAY_MS
