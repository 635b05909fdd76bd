"""The daily and the weekly report to the admins."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from notifications.telegram.kinds import (
    Kind,
    Message,
    change,
    chart,
    choice,
    day,
    line,
    moment,
    money,
    number,
    optional,
    percent,
    prose,
    rows,
    size,
    span,
    url,
)

_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_ADMIN_URL = "https://example.com/admin/"

_REPORT: dict[str, Kind] = {
    "state": optional(choice("partial")),
    "users_new": number,
    "users_change": optional(change),
    "users_lost": optional(number),
    "lost_change": optional(change),
    "users_active": optional(number),
    "active_change": optional(change),
    "users_limited": optional(number),
    "users_expired": optional(number),
    "users_disabled": optional(number),
    "users_online_max": optional(number),
    "revenue": rows(amount=money, change=optional(change)),
    "refunds": rows(amount=money),
    "run_rate": rows(amount=money),
    "payments_count": number,
    "payments_change": optional(change),
    "payments_failed": number,
    "payers_new": number,
    "revenue_by_plan": rows(name=line, amount=money, count=number),
    "revenue_by_provider": rows(name=line, amount=money, count=number),
    "uptime": optional(percent),
    "traffic": optional(size),
    "traffic_change": optional(change),
    "nodes_top": rows(name=line, traffic=size),
    "nodes_worst": rows(name=line, incidents=number, uptime=optional(percent), down=span),
    "messages_sent": optional(number),
    "messages_failed": optional(number),
    "operations": rows(name=line, count=number),
    "operations_count": number,
    "errors_top": rows(text=line, count=number),
    "errors_count": optional(number),
    "recommendations": rows(text=prose),
    "url": optional(url),
}
_REPORT_SAMPLE: dict[str, Any] = {
    "state": "partial",
    "users_new": 42,
    "users_change": Decimal("2.4"),
    "users_lost": 7,
    "lost_change": Decimal("-12.5"),
    "users_active": 12345,
    "active_change": Decimal("0.3"),
    "users_limited": 210,
    "users_expired": 3150,
    "users_disabled": 84,
    "users_online_max": 4012,
    "revenue": [
        {"amount": (Decimal("512.50"), "USDT"), "change": Decimal("4.0")},
        {"amount": (Decimal("12.25"), "TON"), "change": Decimal("-3.1")},
    ],
    "refunds": [{"amount": (Decimal(5), "USDT")}],
    "run_rate": [{"amount": (Decimal("14875.00"), "USDT")}],
    "payments_count": 97,
    "payments_change": Decimal("1.0"),
    "payments_failed": 11,
    "payers_new": 29,
    "revenue_by_plan": [
        {"name": "1 month", "amount": (Decimal("312.50"), "USDT"), "count": 62},
        {"name": "1 year", "amount": (Decimal("200.00"), "USDT"), "count": 35},
    ],
    "revenue_by_provider": [
        {"name": "Crypto Pay", "amount": (Decimal("512.50"), "USDT"), "count": 97}
    ],
    "uptime": Decimal("99.95"),
    "traffic": 3 * 1024**4,
    "traffic_change": Decimal(0),
    "nodes_top": [
        {"name": "fra-1", "traffic": 1024**4},
        {"name": "ams-1", "traffic": 700 * 1024**3},
    ],
    "nodes_worst": [
        {
            "name": "fra-1",
            "incidents": 3,
            "uptime": Decimal("98.7"),
            "down": timedelta(minutes=19),
        }
    ],
    "messages_sent": 8120,
    "messages_failed": 33,
    "operations": [
        {"name": "subscriber.extended", "count": 14},
        {"name": "payments.recheck", "count": 3},
    ],
    "operations_count": 17,
    "errors_top": [{"text": "panel: no answer in time", "count": 3}],
    "errors_count": 3,
    "recommendations": [{"text": "fra-1 went down 3 times: look at its provider"}],
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
            "incidents_more": optional(number),
        },
        {
            "reported_on": date(2026, 11, 21),
            **_REPORT_SAMPLE,
            "incidents": [
                {"name": "fra-1", "started_at": _NOON, "lasted": timedelta(minutes=7)},
                {"name": "waw-2", "started_at": _NOON, "lasted": None},
            ],
            "incidents_more": 2,
        },
    ),
    Message(
        "report_weekly",
        "To the admins, on Monday: the week before, against the one before that.",
        {
            "starts_on": day,
            "ends_on": day,
            **_REPORT,
            "incidents_count": number,
            "revenue_chart": chart,
            "revenue_currency": optional(line),
            "users_chart": chart,
            "api_latency_ms": optional(number),
        },
        {
            "starts_on": date(2026, 11, 16),
            "ends_on": date(2026, 11, 22),
            **_REPORT_SAMPLE,
            "incidents_count": 4,
            "revenue_chart": [
                (name, Decimal(amount))
                for name, amount in zip(
                    ["16.11", "17.11", "18.11", "19.11", "20.11", "21.11", "22.11"],
                    [70, 65, 80, 91, 74, 60, 72],
                    strict=True,
                )
            ],
            "revenue_currency": "USDT",
            "users_chart": [("16.11", 4), ("17.11", 9), ("18.11", 0), ("19.11", 6)],
            "api_latency_ms": 143,
        },
    ),
)
