"""What a person should look at, by rules over the figures: each names its reason in numbers.

A rule gives facts, and advice_words.py says them in the language of the reader. The order is that of the
list, the most urgent first. Every limit is a constant beside its rule, because a figure that is told as
too high must be the same in the report, on the page and in the test.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reports.statistics.reporting.figures import Figures
from reports.statistics.reporting.trends import percent

MOST = 7  # that are told
NODES = 3  # of which one rule speaks

TIMES_DOWN = 3
UPTIME_LEAST = 0.99
SHARE_OF_TRAFFIC = 0.5
TRAFFIC_UP = Decimal(30)
REVENUE_DOWN = Decimal(-15)
UNPAID_MORE = 0.1  # of all invoices, against before
REFUNDED_MOST = 0.05
LIMITED_MOST = 0.05
MESSAGES_FAILED_MOST = 0.05
ERRORS_LEAST = 50  # below that the ranking of errors says little
ERROR_SHARE = 0.5
LATENCY_MOST_MS = 1000.0
FEW = 10  # of fewer, shares say nothing


@dataclass(frozen=True, slots=True)
class Advice:
    """code: which rule, see advice_words.WORDS. facts: what its sentence is filled from, JSON."""

    code: str
    facts: dict[str, Any]


Rule = Callable[[Figures, Figures], Iterator[Advice]]


def advice_of(now: Figures, before: Figures) -> list[Advice]:
    """What to do about the figures, against those of the time before; MOST of it."""
    return [advice for rule in RULES for advice in rule(now, before)][:MOST]


def _services(now: Figures, _: Figures) -> Iterator[Advice]:
    """A service that was away: the panel, the bot, Crypto Pay."""
    names = sorted({each["name"] for each in now.incidents if each["what"] == "service"})
    for name in names[:NODES]:
        times = sum(each["what"] == "service" and each["name"] == name for each in now.incidents)
        yield Advice("service_away", {"name": name, "times": times})


def _unsteady(now: Figures, _: Figures) -> Iterator[Advice]:
    """Servers that went down again and again, or were down for long."""
    worst = sorted(now.nodes, key=lambda node: (-node["incidents"], node["name"]))
    told = 0
    for node in worst:
        uptime = node["uptime"]
        if told == NODES:
            return
        if node["incidents"] >= TIMES_DOWN:
            yield Advice(
                "node_unsteady",
                {"name": node["name"], "times": node["incidents"], "down_s": node["down_s"]},
            )
        elif uptime is not None and uptime < UPTIME_LEAST:
            yield Advice(
                "node_uptime",
                {"name": node["name"], "uptime": _share(uptime), "least": _share(UPTIME_LEAST)},
            )
        else:
            continue
        told += 1


def _more_left(now: Figures, _: Figures) -> Iterator[Advice]:
    lost = now.users_lost or 0
    if lost >= FEW and lost > now.users_new:
        yield Advice("more_left", {"lost": lost, "new": now.users_new})


def _earned_less(now: Figures, before: Figures) -> Iterator[Advice]:
    """A fall of the revenue, with the plan that fell most."""
    if before.days < before.wanted or before.payments < FEW:
        return
    for currency, earlier in before.revenue.items():
        amount = now.revenue.get(currency, Decimal(0))
        change = percent(amount, earlier)
        if change is None or change > REVENUE_DOWN:
            continue
        falls = {
            line["name"]: line["amount"] - _amount(now, line["code"], currency)
            for line in before.by_plan
            if line["currency"] == currency
        }
        plan = max(falls, key=lambda name: (falls[name], name), default="")
        yield Advice(
            "earned_less",
            {
                "currency": currency,
                "amount": str(amount),
                "before": str(earlier),
                "change": str(abs(change)),
                "plan": plan,
            },
        )
        return


def _amount(figures: Figures, code: str, currency: str) -> Decimal:
    return sum(
        (
            line["amount"]
            for line in figures.by_plan
            if (line["code"], line["currency"]) == (code, currency)
        ),
        Decimal(0),
    )


def _unpaid(now: Figures, before: Figures) -> Iterator[Advice]:
    """Of the invoices clearly more than before were not paid in time."""
    share, earlier = _unpaid_share(now), _unpaid_share(before)
    if share is not None and earlier is not None and share - earlier >= UNPAID_MORE:
        yield Advice("unpaid", {"share": _share(share), "before": _share(earlier)})


def _unpaid_share(figures: Figures) -> float | None:
    count = figures.payments + figures.payments_failed
    return figures.payments_failed / count if count >= FEW else None


def _refunds(now: Figures, _: Figures) -> Iterator[Advice]:
    if now.payments >= FEW and now.payments_refunded / now.payments > REFUNDED_MOST:
        yield Advice(
            "refunds",
            {
                "count": now.payments_refunded,
                "share": _share(now.payments_refunded / now.payments),
            },
        )


def _one_server(now: Figures, _: Figures) -> Iterator[Advice]:
    """Most of the traffic on one of several servers."""
    sizes = {node["name"]: node["bytes"] for node in now.nodes if node["bytes"]}
    total = sum(sizes.values())
    if len(sizes) < 3 or not total:
        return
    name = max(sizes, key=lambda name: (sizes[name], name))
    if sizes[name] / total > SHARE_OF_TRAFFIC:
        yield Advice("one_server", {"name": name, "share": _share(sizes[name] / total)})


def _more_traffic(now: Figures, before: Figures) -> Iterator[Advice]:
    if before.days < before.wanted:
        return
    change = percent(now.traffic_bytes, before.traffic_bytes)
    if change is not None and change >= TRAFFIC_UP:
        yield Advice("more_traffic", {"change": str(change), "bytes": now.traffic_bytes})


def _limited(now: Figures, _: Figures) -> Iterator[Advice]:
    served = (now.users_active or 0) + (now.users_limited or 0)
    if served >= FEW and (now.users_limited or 0) / served > LIMITED_MOST:
        yield Advice(
            "limited",
            {"count": now.users_limited, "share": _share((now.users_limited or 0) / served)},
        )


def _messages(now: Figures, _: Figures) -> Iterator[Advice]:
    sent, failed = now.messages_sent or 0, now.messages_failed or 0
    if failed >= FEW and failed / (sent + failed) > MESSAGES_FAILED_MOST:
        yield Advice("messages", {"count": failed, "share": _share(failed / (sent + failed))})


def _errors(now: Figures, _: Figures) -> Iterator[Advice]:
    count = now.errors_count or 0
    if count >= ERRORS_LEAST and now.errors and now.errors[0]["count"] / count >= ERROR_SHARE:
        top = now.errors[0]
        yield Advice(
            "one_error",
            {
                "text": top["text"][:120],
                "count": top["count"],
                "share": _share(top["count"] / count),
            },
        )


def _slow(now: Figures, _: Figures) -> Iterator[Advice]:
    if now.api_latency_ms is not None and now.api_latency_ms > LATENCY_MOST_MS:
        yield Advice("slow_panel", {"ms": round(now.api_latency_ms)})


def _share(value: float) -> str:
    """A share as a percentage with one decimal, as text."""
    return str(Decimal(str(100 * value)).quantize(Decimal("0.1")))


RULES: tuple[Rule, ...] = (
    _services, _unsteady, _earned_less, _unpaid, _more_left, _messages, _errors, _refunds,
    _one_server, _more_traffic, _limited, _slow,
)  # fmt: skip
