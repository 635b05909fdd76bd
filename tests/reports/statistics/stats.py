"""Rows of days as they stand once computed."""

from datetime import date, datetime, timedelta
from typing import Any

from lib import clock
from reports.statistics.days.spans import span_of
from reports.statistics.models import DailyStat


def stat(day: date, **changes: Any) -> DailyStat:
    """A quiet day: 100 active, 5 new, 2 lost, 50 USDT of 10 payments, one server."""
    amount = changes.pop("amount", "50")
    fields: dict[str, Any] = {
        "users_active": 100, "users_disabled": 3, "users_expired": 40, "users_limited": 2,
        "users_source": "counted", "users_at": span_of(day).end - timedelta(minutes=3),
        "users_new": 5, "users_lost": 2, "users_online_max": 31, "traffic_bytes": 10**12,
        "uptime": 1.0, "payments_count": 10, "payments_failed": 1, "payers_new": 3, "payers_again": 7,
        "revenue": {"USDT": amount}, "revenue_by_plan": [line("month", "Month", amount, 10)],
        "revenue_by_provider": [line("cryptobot", "Crypto Pay", amount, 10)],
        "paying": 90, "run_rate": {"USDT": "450"}, "nodes": [server("fra-1")], "incidents": [],
        "operations": {"jobs.replay": 2}, "errors": [{"text": "ValueError: x", "count": 3}],
        "errors_count": 3, "messages_sent": 200, "messages_failed": 1, "api_latency_ms": 80.0,
        "is_final": True, "computed_at": clock.now(),
    }  # fmt: skip
    return DailyStat.objects.create(day=day, **{**fields, **changes})


def line(
    code: str, name: str, amount: str, payments: int, currency: str = "USDT"
) -> dict[str, Any]:
    """What one plan or provider earned."""
    return {
        "code": code, "name": name, "currency": currency, "amount": amount, "refunds": "0",
        "payments": payments, "refunded": 0,
    }  # fmt: skip


def server(name: str, **changes: Any) -> dict[str, Any]:
    """A server on a day."""
    return {
        "uuid": f"00000000-0000-4000-8000-{sum(map(ord, name)):012}", "name": name,
        "bytes": 10**12, "uptime": 1.0, "incidents": 0, "down_s": 0, **changes,
    }  # fmt: skip


def incident(
    name: str, began: datetime, lasted: timedelta | None = None, what: str = "server"
) -> Any:
    """An incident as a day lists it."""
    return {
        "what": what, "name": name, "began_at": began.isoformat(),
        "ended_at": (began + lasted).isoformat() if lasted else None, "text": "",
    }  # fmt: skip
