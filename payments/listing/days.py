"""What days earned, for charts: of one currency, with every day of a span and the day that still runs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from lib import clock
from payments.models import FinancialDay, Payment

SPANS = (30, 90, 365)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day. is_open: the day still runs, and the figures are those of this moment."""

    day: date
    revenue: Decimal
    refunds: Decimal
    completed: int
    refunded: int
    failed: int
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What one plan earned in a span. share: of the revenue, in percent."""

    plan_code: str
    provider: str
    completed: int
    refunded: int
    failed: int
    revenue: Decimal
    refunds: Decimal
    average: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class AssetLine:
    """What came in one asset: net after fees (None: a fee was in another asset), and its worth."""

    asset: str
    completed: int
    fee: Decimal | None
    net: Decimal | None
    usd: Decimal | None


def span_of(days: int) -> tuple[date, date]:
    """The first day of a span that ends today, and today (UTC)."""
    today = clock.now().astimezone(UTC).date()
    return today - timedelta(days=days - 1), today


def currencies(first: date, today: date) -> list[str]:
    """Those in which prices stood, the one with most payments first."""
    rows = FinancialDay.objects.filter(day__gte=first).values("currency")
    counted = dict(rows.annotate(n=Sum("completed")).values_list("currency", "n"))
    for currency, count in _open_day(today).values_list("currency").annotate(n=Count("pk")):
        counted[currency] = counted.get(currency, 0) + count
    return sorted(counted, key=lambda name: (-counted[name], name))


def bars_of(currency: str, first: date, today: date) -> list[DayBar]:
    """Every day of the span, also those without a line. Three queries."""
    rows = (
        FinancialDay.objects.filter(currency=currency, day__gte=first)
        .values("day")
        .annotate(
            revenue_=Sum("revenue"),
            refunds_=Sum("refunds"),
            completed_=Sum("completed"),
            refunded_=Sum("refunded"),
            failed_=Sum("failed"),
        )
    )
    known = {
        row["day"]: DayBar(
            row["day"],
            row["revenue_"],
            row["refunds_"],
            row["completed_"],
            row["refunded_"],
            row["failed_"],
        )
        for row in rows
    }
    known[today] = _today(currency, today)
    count = (today - first).days + 1
    return [
        known.get(day, DayBar(day, _NOTHING, _NOTHING, 0, 0, 0))
        for day in (first + timedelta(days=number) for number in range(count))
    ]


def plans_of(currency: str, first: date) -> list[PlanLine]:
    """What each plan earned, the best first; without the day that still runs. One query."""
    rows = list(
        FinancialDay.objects.filter(currency=currency, day__gte=first)
        .values("plan_code", "provider")
        .annotate(
            completed_=Sum("completed"),
            refunded_=Sum("refunded"),
            failed_=Sum("failed"),
            revenue_=Sum("revenue"),
            refunds_=Sum("refunds"),
        )
        .order_by("-revenue_", "plan_code")
    )
    total = sum((row["revenue_"] for row in rows), _NOTHING)
    return [
        PlanLine(
            row["plan_code"],
            row["provider"],
            row["completed_"],
            row["refunded_"],
            row["failed_"],
            row["revenue_"],
            row["refunds_"],
            row["revenue_"] / row["completed_"] if row["completed_"] else _NOTHING,
            100 * row["revenue_"] / total if total else _NOTHING,
        )
        for row in rows
    ]


def assets_of(currency: str, first: date) -> list[AssetLine]:
    """In which assets prices of a currency were paid. One query."""
    rows = (
        FinancialDay.objects.filter(currency=currency, day__gte=first, completed__gt=0)
        .values("paid_asset")
        .annotate(completed_=Sum("completed"), fee_=Sum("fee"), net_=Sum("net"), usd_=Sum("usd"))
        .order_by("-completed_", "paid_asset")
    )
    return [
        AssetLine(row["paid_asset"], row["completed_"], row["fee_"], row["net_"], row["usd_"])
        for row in rows
    ]


def _open_day(today: date) -> QuerySet[Payment]:
    begin = datetime.combine(today, time(), UTC)
    return Payment.objects.filter(completed_at__gte=begin)


def _today(currency: str, today: date) -> DayBar:
    begin = datetime.combine(today, time(), UTC)
    mine = Payment.objects.filter(currency=currency)
    done = mine.filter(completed_at__gte=begin).aggregate(n=Count("pk"), sum=Sum("amount"))
    back = mine.filter(refunded_at__gte=begin).aggregate(n=Count("pk"), sum=Sum("amount"))
    return DayBar(
        today,
        done["sum"] or _NOTHING,
        back["sum"] or _NOTHING,
        done["n"],
        back["n"],
        mine.filter(failed_at__gte=begin).count(),
        is_open=True,
    )
