"""What a day earned, out of the financial days that payments keep; who paid, and the run rate at its end.

Nothing of it is added up twice: amounts come from FinancialDay, which payments compute exactly.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from jobs import sql
from payments.models import FinancialDay
from payments.words import amount_say
from reports.statistics.days.spans import Span
from subscriptions.models import Plan

RATE_DAYS = 30  # the run rate is what so many days bring in
PROVIDERS = {"cryptobot": "Crypto Pay"}

# Somebody without a row of ours is told by the chat; an order without either is a person of its own.
_PAYERS = """
SELECT count(DISTINCT who) FILTER (WHERE is_first), count(DISTINCT who) FILTER (WHERE NOT is_first)
FROM (
    SELECT coalesce('s' || p.subscriber_id, 'c' || p.telegram_id, p.id::text) AS who,
        NOT EXISTS (
            SELECT FROM payment q
            WHERE q.subscriber_id = p.subscriber_id AND q.completed_at < %(begin)s
        ) AND (p.subscriber_id IS NOT NULL OR NOT EXISTS (
            SELECT FROM payment q
            WHERE q.telegram_id = p.telegram_id AND q.completed_at < %(begin)s
        )) AS is_first
    FROM payment p WHERE p.completed_at >= %(begin)s AND p.completed_at < %(end)s
) q
"""
# Periods of one person follow each other without overlapping, so each is counted once.
_RATE = """
SELECT p.currency, round(sum(p.amount * %(days)s / p.period_days), 6), count(*)
FROM subscription_activation a JOIN payment p ON p.id = a.payment_id
WHERE coalesce(a.base_expire_at, p.completed_at) < %(end)s AND a.target_expire_at >= %(end)s
    AND p.completed_at < %(end)s AND (p.refunded_at IS NULL OR p.refunded_at >= %(end)s)
GROUP BY p.currency ORDER BY p.currency
"""


@dataclass(slots=True)
class Money:
    """The figures of one day; DailyStat says what the fields look like."""

    payments: int = 0
    failed: int = 0
    refunded: int = 0
    revenue: dict[str, str] = field(default_factory=dict)
    refunds: dict[str, str] = field(default_factory=dict)
    by_plan: list[dict[str, Any]] = field(default_factory=list)
    by_provider: list[dict[str, Any]] = field(default_factory=list)
    payers_new: int = 0
    payers_again: int = 0
    paying: int = 0
    run_rate: dict[str, str] = field(default_factory=dict)


def money_of(span: Span) -> Money:
    """The figures of a day whose financial day is computed. Six statements."""
    of_day = FinancialDay.objects.filter(day=span.day)
    money = Money()
    revenue, refunds = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for row in _sums(of_day, "currency"):
        money.payments += row["payments"]
        money.refunded += row["refunded_"]
        money.failed += row["failed_"]
        if row["payments"]:
            revenue[row["currency"]] += row["amount"]
        if row["refunded_"]:
            refunds[row["currency"]] += row["back"]
    money.revenue, money.refunds = _said(revenue), _said(refunds)
    titles = dict(Plan.objects.values_list("code", "title"))
    money.by_plan = _lines(_sums(of_day, "plan_code", "currency"), "plan_code", titles)
    money.by_provider = _lines(_sums(of_day, "provider", "currency"), "provider", PROVIDERS)
    money.payers_new, money.payers_again = sql.rows(_PAYERS, span.params())[0]
    for currency, rate, paying in sql.rows(_RATE, {**span.params(), "days": RATE_DAYS}):
        money.run_rate[currency] = amount_say(rate)
        money.paying += paying
    return money


def _sums(of_day: Any, *columns: str) -> list[dict[str, Any]]:
    """Sums of the day by columns, the same order each time."""
    return list(
        of_day.values(*columns)
        .annotate(
            payments=Sum("completed"),
            refunded_=Sum("refunded"),
            failed_=Sum("failed"),
            amount=Sum("revenue"),
            back=Sum("refunds"),
        )
        .order_by(*columns)
    )


def _lines(rows: list[dict[str, Any]], column: str, names: dict[str, str]) -> list[dict[str, Any]]:
    """Those that earned or gave back, the most payments first."""
    found = [
        {
            "code": row[column],
            "name": names.get(row[column], row[column]),
            "currency": row["currency"],
            "amount": amount_say(row["amount"]),
            "refunds": amount_say(row["back"]),
            "payments": row["payments"],
            "refunded": row["refunded_"],
        }
        for row in rows
        if row["payments"] or row["refunded_"]
    ]
    return sorted(found, key=lambda line: (-line["payments"], line["code"], line["currency"]))


def _said(sums: dict[str, Decimal]) -> dict[str, str]:
    return {currency: amount_say(amount) for currency, amount in sorted(sums.items())}
