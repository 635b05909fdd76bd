"""The daily and the weekly report to the admins."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from notifications.telegram.kinds import (
    Kind,
    Message,
    change,
    chart,
    day,
    line,
    moment,
    money,
    number,
    optional,
    percent,
    rows,
    size,
    span,
    url,
)

_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_ADMIN_URL = "https://example.com/admin/"

_REPORT: dict[str, Kind] = {
    "users_new": number,
    "users_lost": number,
    "users_active": number,
    "revenue": rows(amount=money),
    "payments_count": number,
    "revenue_by_plan": rows(name=line, amount=money),
    "revenue_by_provider": rows(name=line, amount=money),
    "uptime": optional(percent),
    "traffic": size,
    "nodes_top": rows(name=line, traffic=size),
    "errors_top": rows(text=line, count=number),
    "url": optional(url),
}
_REPORT_SAMPLE: dict[str, Any] = {
    "users_new": 42,
    "users_lost": 7,
    "users_active": 12345,
    "revenue": [{"amount": (Decimal("512.50"), "USDT")}, {"amount": (Decimal("12.25"), "TON")}],
    "payments_count": 97,
    "revenue_by_plan": [
        {"name": "1 month", "amount": (Decimal("312.50"), "USDT")},
        {"name": "1 year", "amount": (Decimal("200.00"), "USDT")},
    ],
    "revenue_by_provider": [{"name": "Crypto Pay", "amount": (Decimal("512.50"), "USDT")}],
    "uptime": Decimal("99.95"),
    "traffic": 3 * 1024**4,
    "nodes_top": [
        {"name": "fra-1", "traffic": 1024**4},
        {"name": "ams-1", "traffic": 700 * 1024**3},
    ],
    "errors_top": [{"text": "panel: no answer in time", "count": 3}],
    "url": _ADMIN_URL,
}

REPORTS = (
    Message(
        "report_daily",
        "To the admins, each morning: the day before.",
        {
            "reported_on": day,
            **_REPORT,
            "incidents": rows(name=line, started_at=moment, lasted=optional(span)),
        },
        {
            "reported_on": date(2026, 11, 21),
            **_REPORT_SAMPLE,
            "incidents": [
                {"name": "fra-1", "started_at": _NOON, "lasted": timedelta(minutes=7)},
                {"name": "waw-2", "started_at": _NOON, "lasted": None},
            ],
        },
    ),
    Message(
        "report_weekly",
        "To the admins, on Monday: the week before, against the one before that.",
        {
            "starts_on": day,
            "ends_on": day,
            **_REPORT,
            "users_change": optional(change),
            "revenue_change": optional(change),
            "traffic_change": optional(change),
            "revenue_chart": chart,
            "users_chart": chart,
            "nodes_worst": rows(name=line, incidents=number, uptime=optional(percent)),
            "api_latency_ms": optional(number),
            "recommendations": rows(text=line),
        },
        {
            "starts_on": date(2026, 11, 16),
            "ends_on": date(2026, 11, 22),
            **_REPORT_SAMPLE,
            "users_change": Decimal("2.4"),
            "revenue_change": Decimal("-3.1"),
            "traffic_change": Decimal(0),
            "revenue_chart": [
                (name, Decimal(amount))
                for name, amount in zip(
                    ["16.11", "17.11", "18.11", "19.11", "20.11", "21.11", "22.11"],
                    [70, 65, 80, 91, 74, 60, 72],
                    strict=True,
                )
            ],
            "users_chart": [("16.11", 4), ("17.11", 9), ("18.11", 0), ("19.11", 6)],
            "nodes_worst": [{"name": "fra-1", "incidents": 3, "uptime": Decimal("98.7")}],
            "api_latency_ms": 143,
            "recommendations": [{"text": "fra-1 went down 3 times: look at its provider"}],
        },
    ),
)
