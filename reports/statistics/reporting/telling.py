"""A report as Telegram messages: the templates report_daily and report_weekly with what a payload says."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from notifications.telegram.templates import render_parts
from reports.statistics.models import Report, ReportKind
from reports.statistics.reporting.advice_words import advice_say, service_say

TOP = 5  # servers, errors, kinds of acts that are named
INCIDENTS = 10
PLANS = 10
Json = dict[str, Any]


def report_say(report: Report, language: str) -> list[str]:
    """The messages, in order, each short enough for Telegram. No query."""
    values = _common(report.payload, language)
    link = f"{settings.SITE_URL}/admin/statistics/report/{report.pk}/change/"
    values["url"] = link if report.pk else None
    if report.kind == ReportKind.DAILY:
        values |= _of_a_day(report.payload, language)
        return render_parts("report_daily", language, **values)
    values |= _of_a_week(report.payload)
    return render_parts("report_weekly", language, **values)


def _common(payload: Json, language: str) -> Json:
    now, changes, currencies = payload["now"], payload["changes"], payload["currencies"]
    nodes = [node for node in now["nodes"] if node["bytes"]]
    return {
        "state": None if payload["is_final"] else "partial",
        "users_new": now["users_new"],
        "users_change": _decimal(changes.get("users_new")),
        "users_lost": now["users_lost"],
        "lost_change": _decimal(changes.get("users_lost")),
        "users_active": now["users_active"],
        "active_change": _decimal(changes.get("users_active")),
        "users_limited": now["users_limited"],
        "users_expired": now["users_expired"],
        "users_disabled": now["users_disabled"],
        "users_online_max": now["users_online_max"],
        "revenue": [
            {**line, "change": _decimal(payload["money_changes"].get(line["amount"][1]))}
            for line in _amounts(now["revenue"], currencies)
        ],
        "refunds": _amounts(now["refunds"], currencies),
        "run_rate": [
            {"amount": (rate_round(amount), currency)}
            for amount, currency in (
                line["amount"] for line in _amounts(now["run_rate"], currencies)
            )
        ],
        "payments_count": now["payments"],
        "payments_change": _decimal(changes.get("payments")),
        "payments_failed": now["payments_failed"],
        "payers_new": now["payers_new"],
        "revenue_by_plan": _lines(now["by_plan"]),
        "revenue_by_provider": _lines(now["by_provider"]),
        "uptime": None if now["uptime"] is None else _percent(now["uptime"]),
        "traffic": now["traffic_bytes"],
        "traffic_change": _decimal(changes.get("traffic_bytes")),
        "nodes_top": [
            {"name": node["name"], "traffic": node["bytes"]}
            for node in sorted(nodes, key=lambda node: (-node["bytes"], node["name"]))[:TOP]
        ],
        "nodes_worst": _worst(now["nodes"]),
        "messages_sent": now["messages_sent"],
        "messages_failed": now["messages_failed"],
        "operations": [
            {"name": name, "count": count} for name, count in by_count(now["operations"])[:TOP]
        ],
        "operations_count": sum(now["operations"].values()),
        "errors_top": now["errors"][:TOP],
        "errors_count": now["errors_count"],
        "recommendations": [
            {"text": advice_say(advice["code"], advice["facts"], language)}
            for advice in payload["advice"]
        ],
    }


def _of_a_day(payload: Json, language: str) -> Json:
    incidents = payload["now"]["incidents"]
    return {
        "reported_on": date.fromisoformat(payload["first"]),
        "incidents": [_incident(each, language) for each in incidents[:INCIDENTS]],
        "incidents_more": len(incidents) - INCIDENTS if len(incidents) > INCIDENTS else None,
    }


def _of_a_week(payload: Json) -> Json:
    now, days = payload["now"], payload["by_day"]
    currency = next((name for name in payload["currencies"] if name in now["revenue"]), "")
    return {
        "starts_on": date.fromisoformat(payload["first"]),
        "ends_on": date.fromisoformat(payload["last"]),
        "incidents_count": len(now["incidents"]),
        "revenue_chart": [
            (_short(day["day"]), Decimal(day["revenue"].get(currency, "0"))) for day in days
        ]
        if currency
        else [],
        "revenue_currency": currency or None,
        "users_chart": [(_short(day["day"]), day["new"]) for day in days],
        "api_latency_ms": None if now["api_latency_ms"] is None else round(now["api_latency_ms"]),
    }


def _incident(each: Json, language: str) -> Json:
    began = datetime.fromisoformat(each["began_at"])
    ended = None if each["ended_at"] is None else datetime.fromisoformat(each["ended_at"])
    is_service = each["what"] == "service"
    return {
        "name": service_say(each["name"], language) if is_service else each["name"],
        "started_at": began,
        "lasted": None if ended is None else ended - began,
    }


def _worst(nodes: list[Json]) -> list[Json]:
    """Those that were down, the most incidents first."""
    down = [node for node in nodes if node["incidents"]]
    return [
        {
            "name": node["name"],
            "incidents": node["incidents"],
            "uptime": None if node["uptime"] is None else _percent(node["uptime"]),
            "down": timedelta(seconds=node["down_s"]),
        }
        for node in sorted(down, key=lambda node: (-node["incidents"], node["uptime"] or 0))[:TOP]
    ]


def _lines(lines: list[Json]) -> list[Json]:
    return [
        {
            "name": line["name"],
            "amount": (Decimal(line["amount"]), line["currency"]),
            "count": line["payments"],
        }
        for line in lines[:PLANS]
    ]


def _amounts(money: Mapping[str, str], order: Sequence[str]) -> list[Json]:
    return [{"amount": (Decimal(money[name]), name)} for name in order if name in money]


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names with their counts, the most first."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def rate_round(amount: Decimal) -> Decimal:
    """A run rate is an estimate: cents are enough, but for coins of which one is a fortune."""
    return amount if abs(amount) < 1 else amount.quantize(Decimal("0.01"))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _percent(share: float) -> Decimal:
    """A share as a percentage; what is not whole never looks so."""
    percent = Decimal(str(100 * share))
    rounded = percent.quantize(Decimal("0.01"))
    return Decimal("99.99") if rounded == 100 and share < 1 else rounded


def _short(day: str) -> str:
    """ "2026-11-22" as "22.11"."""
    return f"{day[8:]}.{day[5:7]}"
