"""A day or several days as one: sums of what adds up, the last of what stands, means of what is a share."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean
from typing import Any

from reports.statistics.models import DailyStat

Json = dict[str, Any]
_NUMBERS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")
ERRORS = 10


@dataclass(slots=True)
class Figures:
    """The days from first to last, both included. days: how many of them have a row.

    A null says that none of the days can tell. users_* and run_rate are of the last day that can tell;
    uptime (0 to 1) and api_latency_ms are means of days. Money: {currency: decimal}, the currency with
    most payments first. nodes, incidents, lines: as in DailyStat.
    """

    first: date
    last: date
    days: int
    is_final: bool
    users_active: int | None = None
    users_disabled: int | None = None
    users_expired: int | None = None
    users_limited: int | None = None
    users_new: int = 0
    users_lost: int | None = None
    users_online_max: int | None = None
    traffic_bytes: int | None = None
    uptime: float | None = None
    payments: int = 0
    payments_failed: int = 0
    payments_refunded: int = 0
    payers_new: int = 0
    payers_again: int = 0
    paying: int = 0
    revenue: dict[str, Decimal] = field(default_factory=dict)
    refunds: dict[str, Decimal] = field(default_factory=dict)
    run_rate: dict[str, Decimal] = field(default_factory=dict)
    by_plan: list[Json] = field(default_factory=list)
    by_provider: list[Json] = field(default_factory=list)
    nodes: list[Json] = field(default_factory=list)
    incidents: list[Json] = field(default_factory=list)
    operations: dict[str, int] = field(default_factory=dict)
    errors: list[Json] = field(default_factory=list)
    errors_count: int | None = None
    messages_sent: int | None = None
    messages_failed: int | None = None
    api_latency_ms: float | None = None

    @property
    def wanted(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1


def rows_between(first: date, last: date) -> list[DailyStat]:
    """The rows of a time, both ends included, oldest first. One query."""
    return list(DailyStat.objects.filter(day__gte=first, day__lte=last).order_by("day"))


def figures_of(first: date, last: date, rows: Sequence[DailyStat]) -> Figures:
    """The rows of a time as one; without rows everything is zero or null."""
    made = Figures(first, last, len(rows), False)
    made.is_final = made.days == made.wanted and all(row.is_final for row in rows)
    for name in ("users_active", "users_disabled", "users_expired", "users_limited"):
        setattr(made, name, _last(rows, name))
    for name in ("traffic_bytes", "users_lost", "errors_count", "messages_sent", "messages_failed"):
        setattr(made, name, _sum(rows, name))
    made.users_new = sum(row.users_new for row in rows)
    made.users_online_max = _of(rows, "users_online_max", max)
    made.uptime = _of(rows, "uptime", fmean)
    made.api_latency_ms = _of(rows, "api_latency_ms", fmean)
    made.payments = sum(row.payments_count for row in rows)
    made.payments_failed = sum(row.payments_failed for row in rows)
    made.payments_refunded = sum(row.payments_refunded for row in rows)
    made.payers_new = sum(row.payers_new for row in rows)
    made.payers_again = sum(row.payers_again for row in rows)
    made.by_plan = lines_sum(line for row in rows for line in row.revenue_by_plan)
    made.by_provider = lines_sum(line for row in rows for line in row.revenue_by_provider)
    order = currencies_of(made.by_plan)
    made.revenue = _money((row.revenue for row in rows), order)
    made.refunds = _money((row.refunds for row in rows), order)
    if rows:
        made.paying = rows[-1].paying
        made.run_rate = _money([rows[-1].run_rate], order)
    made.nodes = nodes_sum(rows)
    made.incidents = incidents_join(rows)
    operations = Counter[str]()
    for row in rows:
        operations.update(row.operations or {})
    made.operations = dict(operations.most_common())
    made.errors = _errors(rows)
    return made


def currencies_of(lines: Iterable[Json]) -> list[str]:
    """Currencies of plan lines, the one with most payments first."""
    counts = Counter[str]()
    for line in lines:
        counts[line["currency"]] += line["payments"]
    return sorted(counts, key=lambda name: (-counts[name], name))


def lines_sum(lines: Iterable[Json]) -> list[Json]:
    """Lines of plans or providers of several days, added up; the most payments first."""
    sums: dict[tuple[str, str], Json] = {}
    for line in lines:
        key = (line["code"], line["currency"])
        if key not in sums:
            sums[key] = {
                **line,
                "amount": Decimal(line["amount"]),
                "refunds": Decimal(line["refunds"]),
            }
            continue
        total = sums[key]
        total["name"] = line["name"]
        for name in ("amount", "refunds"):
            total[name] += Decimal(line[name])
        for name in ("payments", "refunded"):
            total[name] += line[name]
    return sorted(
        sums.values(), key=lambda line: (-line["payments"], line["code"], line["currency"])
    )


def nodes_sum(rows: Sequence[DailyStat]) -> list[Json]:
    """Servers over the days: bytes and time down added up, uptime as the mean of the days that know."""
    of_node: dict[str, list[Json]] = defaultdict(list)
    for row in rows:
        for line in row.nodes:
            of_node[line["uuid"]].append(line)
    times = Counter(each["name"] for each in incidents_join(rows) if each["what"] == "server")
    made = []
    for uuid, lines in of_node.items():
        sizes = [line["bytes"] for line in lines if line["bytes"] is not None]
        shares = [line["uptime"] for line in lines if line["uptime"] is not None]
        name = lines[-1]["name"]
        made.append(
            {
                "uuid": uuid,
                "name": name,
                "bytes": sum(sizes) if sizes else None,
                "uptime": fmean(shares) if shares else None,
                "incidents": times[name],
                "down_s": sum(line["down_s"] for line in lines),
            }
        )
    return sorted(made, key=lambda line: (line["name"], line["uuid"]))


def incidents_join(rows: Sequence[DailyStat]) -> list[Json]:
    """Incidents of the days by their beginning; one that lasted over midnight is one."""
    found: dict[tuple[str, str, str], Json] = {}
    for row in rows:
        for each in row.incidents:
            found[each["what"], each["name"], each["began_at"]] = each
    return sorted(found.values(), key=lambda each: (each["began_at"], each["name"]))


def _errors(rows: Sequence[DailyStat]) -> list[Json]:
    counts, texts = Counter[str](), dict[str, str]()
    for row in rows:
        for each in row.errors or []:
            key = _NUMBERS.sub("#", each["text"])
            counts[key] += each["count"]
            texts.setdefault(key, each["text"])
    ranked = sorted(counts, key=lambda key: (-counts[key], key))[:ERRORS]
    return [{"text": texts[key], "count": counts[key]} for key in ranked]


def _money(sums: Iterable[dict[str, str]], order: Sequence[str]) -> dict[str, Decimal]:
    total = defaultdict[str, Decimal](Decimal)
    for each in sums:
        for currency, amount in each.items():
            total[currency] += Decimal(amount)
    places = {name: place for place, name in enumerate(order)}
    return {
        name: total[name] for name in sorted(total, key=lambda name: (places.get(name, 99), name))
    }


def _known(rows: Sequence[DailyStat], name: str) -> list[Any]:
    return [value for row in rows if (value := getattr(row, name)) is not None]


def _last(rows: Sequence[DailyStat], name: str) -> int | None:
    known = _known(rows, name)
    return known[-1] if known else None


def _sum(rows: Sequence[DailyStat], name: str) -> int | None:
    known = _known(rows, name)
    return sum(known) if known else None


def _of(rows: Sequence[DailyStat], name: str, fold: Callable[[list[Any]], Any]) -> Any:
    known = _known(rows, name)
    return fold(known) if known else None


def days_of(first: date, last: date) -> list[date]:
    """Every day of a time, both ends included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
