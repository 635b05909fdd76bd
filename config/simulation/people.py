"""Who the customers are, and how each of them treats an invoice."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random


class Way(StrEnum):
    """What somebody does with an invoice."""

    EXACT = "exact"  # in time
    AFTER_END = "after the end"  # when the access is gone already
    LATE = "late"  # after the invoice has expired
    UNDER = "too little"
    OVER = "too much"
    OTHER_ASSET = "another asset"
    TWICE = "twice"  # two orders, both paid
    LOST = "webhook lost"
    DELAYED = "webhook delayed"
    REPEATED = "webhook repeated"
    NEVER = "never"


WEIGHTS = {
    Way.EXACT: 40, Way.AFTER_END: 12, Way.LATE: 5, Way.UNDER: 3, Way.OVER: 3, Way.OTHER_ASSET: 3,
    Way.TWICE: 4, Way.LOST: 6, Way.DELAYED: 6, Way.REPEATED: 5, Way.NEVER: 13,
}  # fmt: skip


@dataclass(slots=True)
class Person:
    """A user of the panel. first_end: what he had before the month; None: he came during it.

    touched: when an operator disabled or enabled him in the panel, oldest first.
    """

    panel_id: int
    subscriber_id: int
    telegram_id: int | None
    first_end: datetime | None
    plan: str = ""
    auto_renew: bool = False
    way: Way = Way.EXACT
    is_blocked: bool = False
    deleted_at: datetime | None = None
    touched: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def is_disabled(self) -> bool:
        """Whether an operator has switched him off, as far as the last touch goes."""
        return bool(self.touched) and self.touched[-1][1] == "disable"

    def was_touched(self, since: datetime, until: datetime) -> bool:
        """Whether an operator had him switched off at any moment of a span."""
        was_off = False
        for at, action in self.touched:
            if at > until:
                break
            if was_off and at > since:
                return True
            was_off = action == "disable"
        return was_off


@dataclass(frozen=True, slots=True)
class Sold:
    """A plan as the simulation sells it."""

    code: str
    title: str
    title_ru: str
    days: int
    currency_type: str
    currency: str
    amount: str
    accepted: tuple[str, ...] = ()


PLANS = (
    Sold("month", "Standard, 1 month", "Стандарт, 1 месяц", 30, "crypto", "USDT", "5.15"),
    Sold("quarter", "Standard, 3 months", "Стандарт, 3 месяца", 90, "crypto", "TON", "4.750001"),
    Sold("week", "Trial week", "Пробная неделя", 7, "fiat", "EUR", "1.99", ("USDT", "TON")),
)
PLAN_WEIGHTS = (6, 2, 2)
LANGUAGES = ("en", "ru")


def way_draw(draw: Random) -> Way:
    return draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]


def hours(draw: Random, least: float, most: float) -> timedelta:
    return timedelta(hours=draw.uniform(least, most))
