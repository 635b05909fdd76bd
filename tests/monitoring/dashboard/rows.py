"""Rows of other rooms, as their owners would write them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from lib import clock
from monitoring.alerts.models import Alert
from monitoring.nodes.models import Health, Node
from payments.models import Payment, State


def node_make(name: str, **changes: Any) -> Node:
    """A server that is online, seen just now."""
    now = clock.now()
    health = changes.get("health", Health.ONLINE)
    fields: dict[str, Any] = {
        "uuid": uuid4(),
        "name": name,
        "address": f"{name}.example.net",
        "country_code": "NL",
        "health": health,
        "health_since": now - timedelta(hours=1),
        "seen_health": health,
        "seen_since": now - timedelta(hours=1),
        "checked_at": now,
        "users_online": 40,
    }
    return Node.objects.create(**{**fields, **changes})


def alert_make(rule: str = "node_offline", **changes: Any) -> Alert:
    """An open alert."""
    now = clock.now()
    fields: dict[str, Any] = {
        "rule": rule,
        "key": str(uuid4()),
        "severity": "critical",
        "title": f"{rule} is wrong",
        "opened_at": now - timedelta(minutes=1),
        "noticed_at": now,
        "runbook": rule,
    }
    return Alert.objects.create(**{**fields, **changes})


def paid(ago: timedelta, **changes: Any) -> Payment:
    """A completed payment of 5 USDT."""
    at = clock.now() - ago
    fields: dict[str, Any] = {
        "external_id": str(uuid4())[:20],
        "state": State.COMPLETED,
        "plan_code": "standard-1m",
        "plan_title": "Standard, 1 month",
        "period_days": 30,
        "currency_type": "crypto",
        "currency": "USDT",
        "amount": Decimal(5),
        "paid_at": at,
        "completed_at": at,
        "paid_asset": "USDT",
        "paid_amount": Decimal(5),
    }
    return Payment.objects.create(**{**fields, **changes})
