"""The kinds of messages that we write ourselves: what each is for, what it needs, an example.

The words are in templates/telegram/<name>.<language>.html. A new message is an entry here and one
file per language; the tests render every one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from notifications.telegram.kinds import (
    Kind,
    change,
    chart,
    choice,
    day,
    line,
    markup,
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


@dataclass(frozen=True)
class Message:
    """One kind of message. `sample` has a value for every field, for previews and tests."""

    name: str
    purpose: str
    fields: Mapping[str, Kind]
    sample: Mapping[str, Any]


_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_RENEW_URL = "https://example.com/renew"
_ADMIN_URL = "https://example.com/admin/"

_EXPIRING = {"plan": line, "expires_at": moment, "renew_url": optional(url)}
_EXPIRING_SAMPLE = {"plan": "Standard, 1 month", "expires_at": _NOON, "renew_url": _RENEW_URL}

_LIFECYCLE = (
    *(
        Message(
            f"subscription_expiring_{bracket}",
            f"To a subscriber whose time ends within {within}.",
            _EXPIRING,
            _EXPIRING_SAMPLE,
        )
        for bracket, within in (
            ("7d", "a week"),
            ("3d", "three days"),
            ("24h", "24 hours"),
            ("6h", "6 hours"),
        )
    ),
    Message(
        "subscription_expired",
        "To a subscriber whose time has ended: how to renew.",
        {"plan": line, "expired_at": moment, "renew_url": optional(url)},
        {"plan": "Standard, 1 month", "expired_at": _NOON, "renew_url": _RENEW_URL},
    ),
    Message(
        "subscription_deactivated",
        "To a subscriber who is no longer served: since when, why, what to do.",
        {
            "plan": line,
            "deactivated_at": moment,
            "reason": optional(line),
            "renew_url": optional(url),
            "support": optional(line),
        },
        {
            "plan": "Standard, 1 month",
            "deactivated_at": _NOON,
            "reason": "The paid time is over",
            "renew_url": _RENEW_URL,
            "support": "@example_support",
        },
    ),
    Message(
        "traffic_reset",
        "To subscribers whose traffic counter was set to zero.",
        {"reset_on": day, "limit": optional(size)},
        {"reset_on": date(2026, 12, 1), "limit": 100 * 1024**3},
    ),
)

_PAYMENTS = (
    Message(
        "payment_received",
        "To the payer. Without expires_at: paid, but access is still being switched on.",
        {"amount": money, "plan": line, "expires_at": optional(moment), "invoice": optional(line)},
        {
            "amount": (Decimal("5.00"), "USDT"),
            "plan": "Standard, 1 month",
            "expires_at": _NOON + timedelta(days=30),
            "invoice": "IV-1024",
        },
    ),
    Message(
        "payment_failed",
        "To the payer: the invoice ran out of time, or the provider refused.",
        {
            "amount": money,
            "plan": line,
            "reason": choice("expired", "refused"),
            "pay_url": optional(url),
            "support": optional(line),
        },
        {
            "amount": (Decimal("5.00"), "USDT"),
            "plan": "Standard, 1 month",
            "reason": "expired",
            "pay_url": "https://example.com/pay/2",
            "support": "@example_support",
        },
    ),
    Message(
        "invoice_renewal",
        "To a subscriber with auto-renewal: the invoice and its link.",
        {
            "plan": line,
            "amount": money,
            "pay_url": url,
            "expires_at": moment,
            "pay_before": optional(moment),
        },
        {
            "plan": "Standard, 1 month",
            "amount": (Decimal("5.00"), "USDT"),
            "pay_url": "https://example.com/pay/1",
            "expires_at": _NOON,
            "pay_before": _NOON + timedelta(hours=24),
        },
    ),
)

_OPERATORS = (
    Message(
        "broadcast",
        "A broadcast: the operator's own text, in Telegram HTML, below its title.",
        {"title": optional(line), "body": markup},
        {
            "title": "Maintenance tonight",
            "body": 'From 02:00 to 02:15 UTC. Details <a href="https://example.com/">here</a>.',
        },
    ),
    Message(
        "alert_opened",
        "To the admins: something is wrong.",
        {
            "severity": choice("critical", "warning", "info"),
            "title": line,
            "details": optional(prose),
            "source": optional(line),
            "opened_at": moment,
            "url": optional(url),
        },
        {
            "severity": "critical",
            "title": "Node fra-1 is offline",
            "details": "No answer for 5 minutes.\nLast state: connecting",
            "source": "monitoring.check_nodes",
            "opened_at": _NOON,
            "url": _ADMIN_URL,
        },
    ),
    Message(
        "alert_resolved",
        "To the admins: what was wrong is well again.",
        {
            "title": line,
            "source": optional(line),
            "opened_at": moment,
            "resolved_at": moment,
            "lasted": span,
            "url": optional(url),
        },
        {
            "title": "Node fra-1 is offline",
            "source": "monitoring.check_nodes",
            "opened_at": _NOON,
            "resolved_at": _NOON + timedelta(minutes=65),
            "lasted": timedelta(minutes=65),
            "url": _ADMIN_URL,
        },
    ),
    Message(
        "job_failed",
        "To the admins: a job of a critical kind has given up.",
        {
            "kind": line,
            "error": prose,
            "attempts": number,
            "failed_at": moment,
            "job_id": line,
            "count": optional(number),
            "url": optional(url),
        },
        {
            "kind": "payments.verify_pending",
            "error": "Unreachable: cryptobot: connection refused",
            "attempts": 4,
            "failed_at": _NOON,
            "job_id": "019aab2c-7f00-7000-8000-000000000001",
            "count": 12,
            "url": _ADMIN_URL,
        },
    ),
    Message(
        "bulk_finished",
        "To who started a bulk operation: what came of it.",
        {
            "operation": choice("disable", "enable", "reset_traffic", "delete", "extend"),
            "state": choice("completed", "cancelled"),
            "initiated_by": line,
            "total": number,
            "succeeded": number,
            "failed": number,
            "skipped": number,
            "lasted": span,
            "errors": rows(name=line, reason=line),
            "url": optional(url),
        },
        {
            "operation": "extend",
            "state": "completed",
            "initiated_by": "olga",
            "total": 1250,
            "succeeded": 1247,
            "failed": 2,
            "skipped": 1,
            "lasted": timedelta(seconds=95),
            "errors": [
                {"name": "ivan_p", "reason": "404: no such user in the panel"},
                {"name": "tom & jerry", "reason": "the panel did not answer"},
            ],
            "url": _ADMIN_URL,
        },
    ),
)

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

_REPORTS = (
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

MESSAGES: Mapping[str, Message] = {
    message.name: message for message in (*_LIFECYCLE, *_PAYMENTS, *_OPERATORS, *_REPORTS)
}
