"""Which days are to be computed, and computing one: the same figures however often, and by whomever."""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Min

from jobs import sql
from lib import clock
from payments.earning import days_compute as financial_days_compute
from payments.models import FinancialDay, Payment
from reports.statistics.days.money import Money, money_of
from reports.statistics.days.people import People, people_of
from reports.statistics.days.servers import Servers, servers_of
from reports.statistics.days.spans import DAY, span_of
from reports.statistics.days.work import Work, work_of
from reports.statistics.errors import DayNotOver
from reports.statistics.models import DailyStat
from subscriptions.models import SubscriberCount

SETTLED = timedelta(hours=2)  # after its end all that belongs to a day has come in
# Their sources are emptied in time: what was known once is not replaced by "cannot be told".
_KEPT = (
    "traffic_bytes", "uptime", "operations", "errors", "errors_count", "messages_sent", "messages_failed",
    "api_latency_ms", "users_lost", "users_online_max",
)  # fmt: skip


def days_due(now: datetime) -> list[date]:
    """The days that are over and missing or not final, oldest first, as far back as is made up for.

    A platform that is new begins with its first day: the one of the first count or payment.
    """
    yesterday = span_of(now.date()).day - DAY
    first = max(
        _first_day() or yesterday, yesterday - DAY * (settings.STATISTICS_CATCH_UP_DAYS - 1)
    )
    done = set(
        DailyStat.objects.filter(day__gte=first, is_final=True).values_list("day", flat=True)
    )
    count = (yesterday - first).days + 1
    days = [first + DAY * number for number in range(count)]
    return [day for day in days if day not in done]


def day_compute(day: date) -> DailyStat:
    """Compute a day and write its row. Raises DayNotOver.

    Repeat: the same figures; what its source has lost meanwhile stays as it was. Final once SETTLED has
    passed since its end. Locks: two that compute the same day at once wait for each other.
    """
    span = span_of(day)
    if not span.is_over:
        raise DayNotOver(f"{day} is not over yet (days end at midnight UTC)")
    _money_prepare(day)
    with transaction.atomic():
        day_lock(day)
        before = DailyStat.objects.filter(pk=day).first()
        values = _values(people_of(span), money_of(span), servers_of(span), work_of(span))
        if before is not None:
            _keep(values, before)
        row = DailyStat(day=day, computed_at=clock.now(), **values)
        row.is_final = clock.now() >= span.end + SETTLED
        row.save()
    return row


def day_lock(day: date) -> None:
    """Nobody else computes the day until the transaction ends; there may be no row to lock."""
    sql.row("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reports.daily_stat:{day}"])


def days_compute() -> list[DailyStat]:
    """Compute every day that is due: also those that were missed while nothing ran."""
    return [day_compute(day) for day in days_due(clock.now())]


def _money_prepare(day: date) -> None:
    """Have payments add up the days that are over, as far as they have not yet."""
    if not FinancialDay.objects.filter(day__gt=day).exists():
        financial_days_compute()


def _first_day() -> date | None:
    found: list[datetime | None] = [
        SubscriberCount.objects.aggregate(at=Min("at"))["at"],
        Payment.objects.aggregate(at=Min("completed_at"))["at"],
    ]
    moments = [moment for moment in found if moment is not None]
    return min(moments).date() if moments else None


def _values(people: People, money: Money, servers: Servers, work: Work) -> dict[str, Any]:
    return {
        "users_active": people.active,
        "users_disabled": people.disabled,
        "users_expired": people.expired,
        "users_limited": people.limited,
        "users_source": people.source,
        "users_at": people.at,
        "users_new": people.new,
        "users_lost": people.lost,
        "users_online_max": people.online_max,
        "traffic_bytes": servers.traffic,
        "uptime": servers.uptime,
        "nodes": servers.nodes,
        "incidents": servers.incidents,
        "payments_count": money.payments,
        "payments_failed": money.failed,
        "payments_refunded": money.refunded,
        "payers_new": money.payers_new,
        "payers_again": money.payers_again,
        "revenue": money.revenue,
        "refunds": money.refunds,
        "revenue_by_plan": money.by_plan,
        "revenue_by_provider": money.by_provider,
        "paying": money.paying,
        "run_rate": money.run_rate,
        "operations": work.operations,
        "errors": work.errors,
        "errors_count": work.errors_count,
        "messages_sent": work.sent,
        "messages_failed": work.failed,
        "api_latency_ms": work.latency_ms,
    }


def _keep(values: dict[str, Any], before: DailyStat) -> None:
    """What cannot be told any more stays as it was told."""
    for name in _KEPT:
        if values[name] is None:
            values[name] = getattr(before, name)
    if values["users_active"] is None and before.users_active is not None:
        for name in ("active", "disabled", "expired", "limited", "source", "at"):
            values[f"users_{name}"] = getattr(before, f"users_{name}")
    known = {line["uuid"]: line["bytes"] for line in before.nodes}
    for line in values["nodes"]:
        if line["bytes"] is None:
            line["bytes"] = known.get(line["uuid"])
