"""Users by the thousand, the same ones for the same order."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, fields
from math import gcd
from random import Random
from typing import Any

from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.squads import DEFAULT_SQUAD
from tests.sandbox.remnawave.times import DAY_MS
from tests.sandbox.remnawave.user import PanelUser, Status, Strategy
from tests.sandbox.service import ControlInvalid

SEED_LIMIT = 2_000_000
POOL = 4096
TELEGRAM_BASE = 500_000_000
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class SeedOrder:
    """How many users, and of what kind.

    Expiry is spread evenly from expires_from_s to expires_to_s, counted from now on; who is past
    it is EXPIRED. telegram_from is the telegram id of the first user, the others count on; without
    it the telegram id is 500000000 + id. unlinked_share has none. Of all disabled_share is
    DISABLED, of the rest limited_share LIMITED. strategy and limit_bytes are those of all users,
    tags go round.
    """

    count: int
    seed: int = 0
    first_id: int | None = None
    prefix: str = "tg_"
    telegram_from: int | None = None
    unlinked_share: float = 0.0
    expires_from_s: float = -10 * 86_400.0
    expires_to_s: float = 50 * 86_400.0
    disabled_share: float = 0.0
    limited_share: float = 0.0
    strategy: str = "NO_RESET"
    limit_bytes: int = 100 * GIB
    tags: tuple[str, ...] = ("BASIC", "PRO")


def seed(panel: Panel, order: SeedOrder) -> tuple[int, int]:
    """Add the users; return their first and last id. About 5 s for a million.

    Raises ControlInvalid for ids or names that are taken.
    """
    first_id = panel.users.next_id if order.first_id is None else order.first_id
    if first_id < panel.users.next_id:
        raise ControlInvalid(f"first_id must be at least {panel.users.next_id}")
    telegram_from = order.telegram_from or TELEGRAM_BASE + first_id
    taken = _taken(panel, order.prefix, range(telegram_from, telegram_from + order.count))
    if taken is not None:
        raise ControlInvalid(f"{taken} exists; choose another prefix or telegram_from")
    make = _maker(panel.now_ms(), order, telegram_from)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        panel.users.extend(make(first_id + number, number) for number in range(order.count))
    finally:
        # A million rows without a cycle: the collector need not walk them ever again.
        gc.freeze()
        if was_enabled:
            gc.enable()
    panel.revision += 1
    return first_id, first_id + order.count - 1


def _maker(now_ms: int, order: SeedOrder, telegram_from: int) -> Callable[[int, int], PanelUser]:
    """Values that repeat come from pools, so that each is in memory once."""
    draw = Random(order.seed)
    created = [now_ms - draw.randrange(1, 400) * DAY_MS for _ in range(POOL)]
    online = [now_ms - draw.randrange(1000, 7 * DAY_MS) // 1000 * 1000 for _ in range(POOL)]
    most = order.limit_bytes or 100 * GIB
    used = [draw.randrange(most * 9 // 10) for _ in range(POOL)]
    squads = (DEFAULT_SQUAD,)
    strategy = Strategy(order.strategy)
    tags: list[str | None] = [*order.tags] or [None]
    from_ms = now_ms + round(order.expires_from_s * 1000)
    step_ms = (order.expires_to_s - order.expires_from_s) * 1000 / max(order.count, 1)
    # A step that shares no factor with count visits every place of the span once, out of order.
    stride = _coprime(order.count)
    chance, drawn = draw.random, draw.randrange

    def make(user_id: int, number: int) -> PanelUser:
        telegram_id = telegram_from + number
        expire_ms = from_ms + int(number * stride % order.count * step_ms) // 1000 * 1000
        place = drawn(POOL)
        status = Status.ACTIVE
        used_bytes = used[place]
        fate = chance()
        if fate < order.disabled_share:
            status = Status.DISABLED
        elif expire_ms < now_ms:
            status = Status.EXPIRED
        elif fate < order.disabled_share + order.limited_share and order.limit_bytes:
            status, used_bytes = Status.LIMITED, order.limit_bytes
        is_linked = not order.unlinked_share or chance() >= order.unlinked_share
        made_ms = created[place]
        return PanelUser(
            user_id,
            f"{order.prefix}{telegram_id}",
            status,
            expire_ms,
            made_ms,
            made_ms,
            order.limit_bytes,
            strategy,
            telegram_id if is_linked else None,
            tag=tags[number % len(tags)],
            squads=squads,
            used_bytes=used_bytes,
            lifetime_bytes=used_bytes,
            online_ms=online[place],
            first_connected_ms=made_ms,
        )

    return make


def _taken(panel: Panel, prefix: str, numbers: range) -> str | None:
    """The first name among the numbered ones that somebody bears already."""
    for user in panel.users.rows:
        digits = user.username.removeprefix(prefix)
        if digits != user.username and digits.isdecimal() and int(digits) in numbers:
            return user.username
    return None


def _coprime(size: int) -> int:
    """A number near the golden section of size without a common factor."""
    stride = max(int(size * 0.618), 1)
    while gcd(stride, size) != 1:
        stride += 1
    return stride


def read_order(order: dict[str, Any]) -> SeedOrder:
    """From a control call. Raises ControlInvalid."""
    known = SeedOrder(1)
    names = [field.name for field in fields(known)]
    checked: dict[str, Any] = {}
    for name, value in order.items():
        if name not in names:
            raise ControlInvalid(f"{name} is unknown; known are {', '.join(names)}")
        checked[name] = _checked(name, value, getattr(known, name))
    if not 1 <= checked.get("count", 0) <= SEED_LIMIT:
        raise ControlInvalid(f"count must be between 1 and {SEED_LIMIT}")
    if checked.get("strategy", "NO_RESET") not in list(Strategy):
        raise ControlInvalid(f"strategy must be one of {', '.join(Strategy)}")
    made = SeedOrder(**checked)
    if made.expires_from_s > made.expires_to_s:
        raise ControlInvalid("expires_from_s must not be above expires_to_s")
    return made


def _checked(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ControlInvalid(f"{name} must be a list of texts")
        return tuple(value)
    if isinstance(default, str):
        if not isinstance(value, str):
            raise ControlInvalid(f"{name} must be a text")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ControlInvalid(f"{name} must be a number")
    if not isinstance(default, float) and value != int(value):
        raise ControlInvalid(f"{name} must be a whole number")
    return float(value) if isinstance(default, float) else int(value)
