"""Who ends on which of the coming days, what was done about it, and how much money that is.

Two statements: one over those who end within the window (index subscriber_served), one over the
reminders of the last days (index subscription_notice_age). What they cost follows who is due.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache

from jobs import sql
from lib import clock
from subscriptions.activation.plans import plans_all
from subscriptions.lifecycle.stages import BRACKETS
from subscriptions.models import Plan, Price

DAYS = 14
KEPT_S = 60
_PLACE = "subscriptions:board"

_ENDING = """
SELECT (s.expire_at AT TIME ZONE 'UTC')::date AS day, s.plan_id, count(*),
    count(*) FILTER (WHERE s.telegram_id IS NULL),
    count(*) FILTER (WHERE c.chat_id IS NOT NULL),
    count(*) FILTER (WHERE s.auto_renew),
    count(*) FILTER (WHERE o.subscriber_id IS NOT NULL),
    count(*) FILTER (WHERE a.subscriber_id IS NOT NULL)
FROM subscriber s
LEFT JOIN telegram_chat c ON c.chat_id = s.telegram_id AND c.unreachable_since IS NOT NULL
LEFT JOIN (
    SELECT DISTINCT subscriber_id FROM payment WHERE state IN ('created', 'pending')
) o ON o.subscriber_id = s.id
LEFT JOIN (
    SELECT DISTINCT subscriber_id FROM subscription_activation WHERE state <> 'applied'
) a ON a.subscriber_id = s.id
WHERE s.status IN ('ACTIVE', 'LIMITED') AND s.missing_since IS NULL
    AND s.expire_at >= %(from)s AND s.expire_at < %(to)s
GROUP BY 1, 2
"""
# Reminders are made seven days before an end at the earliest. Whose end is later by now has renewed.
_REMINDED = """
SELECT (n.expire_at AT TIME ZONE 'UTC')::date AS day, n.stage,
    count(*) FILTER (WHERE n.state = 'queued' AND s.expire_at = n.expire_at),
    count(DISTINCT n.subscriber_id) FILTER (WHERE s.expire_at > n.expire_at)
FROM subscription_notice n JOIN subscriber s ON s.id = n.subscriber_id
WHERE n.created_at >= %(made)s AND n.expire_at >= %(from)s AND n.expire_at < %(to)s
    AND n.stage <> 'expired'
GROUP BY GROUPING SETS ((1, 2), (1))
"""


@dataclass(slots=True)
class Day:
    """One day in UTC. renewed: were reminded of an end on it, and end later by now. at_risk: what those
    who have not paid yet would pay, by currency."""

    day: date
    ending: int = 0
    no_telegram: int = 0
    blocked: int = 0
    auto_renew: int = 0
    invoiced: int = 0
    paid: int = 0
    renewed: int = 0
    reminded: dict[str, int] = field(default_factory=dict)
    at_risk: dict[str, Decimal] = field(default_factory=dict)
    without_price: int = 0

    @property
    def unreachable(self) -> int:
        """Those whom Telegram cannot tell."""
        return self.no_telegram + self.blocked

    @property
    def until(self) -> date:
        """The day after."""
        return self.day + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Board:
    """The coming days, their sum, and of when it is. stages: value and words, the earliest first."""

    days: list[Day]
    total: Day
    at: datetime
    stages: list[tuple[str, str]]


def board_get(*, is_fresh: bool = False) -> Board:
    """The board; as it was at most KEPT_S seconds ago unless is_fresh."""
    kept: Board | None = None if is_fresh else cache.get(_PLACE)
    today = clock.now().date()
    if kept is None or kept.days[0].day != today:
        kept = _compute(today)
        cache.set(_PLACE, kept, KEPT_S)
    return kept


def _compute(today: date) -> Board:
    start = datetime.combine(today, time(), UTC)
    now = clock.now()
    window = {"from": start, "to": start + timedelta(days=DAYS), "made": now - timedelta(days=9)}
    days = {today + timedelta(days=n): Day(today + timedelta(days=n)) for n in range(DAYS)}
    prices = {plan.pk: price for plan in plans_all() if (price := _price(plan))}
    for row in sql.rows(_ENDING, window):
        _add(days[row[0]], row, prices)
    for day, stage, told, renewed in sql.rows(_REMINDED, window):
        if stage is None:
            days[day].renewed = renewed
        elif told:
            days[day].reminded[stage] = told
    stages = [(str(each.stage.value), str(each.stage.label)) for each in BRACKETS]
    return Board(list(days.values()), _sum(days.values()), now, stages)


def _price(plan: Plan) -> Price | None:
    """What a plan brings in: its price that was set first, of those that it has."""
    current: list[Price] = plan.current  # type: ignore[attr-defined]  # of plans_all
    return min(current, key=lambda each: each.pk, default=None)


def _add(day: Day, row: tuple[Any, ...], prices: dict[int, Price]) -> None:
    _, plan_id, ending, no_telegram, blocked, auto_renew, invoiced, paid = row
    day.ending += ending
    day.no_telegram += no_telegram
    day.blocked += blocked
    day.auto_renew += auto_renew
    day.invoiced += invoiced
    day.paid += paid
    price = prices.get(plan_id)
    if price is None:
        day.without_price += ending
    elif ending > paid:
        sums = defaultdict(Decimal, day.at_risk)
        sums[price.currency] += price.amount * (ending - paid)
        day.at_risk = dict(sums)


def _sum(days: Iterable[Day]) -> Day:
    total, reminded, at_risk = (
        Day(date.min),
        defaultdict[str, int](int),
        defaultdict[str, Decimal](Decimal),
    )
    for each in days:
        for name in (
            "ending", "no_telegram", "blocked", "auto_renew", "invoiced", "paid", "renewed",
            "without_price",
        ):  # fmt: skip
            setattr(total, name, getattr(total, name) + getattr(each, name))
        for stage, count in each.reminded.items():
            reminded[stage] += count
        for currency, amount in each.at_risk.items():
            at_risk[currency] += amount
    total.reminded, total.at_risk = dict(reminded), dict(at_risk)
    return total
