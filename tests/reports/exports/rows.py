"""Rows to export: of each source the smallest that is valid, changed as a test wants."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from jobs.models import AuditEntry
from lib.ids import uuid7
from monitoring.nodes.models import Node, NodeHour, NodeState
from payments.models import Payment
from subscriptions.models import Subscriber

NOON = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)


def subscriber(number: int, **changes: Any) -> Subscriber:
    """user_7, served, made in the panel at NOON."""
    return Subscriber.objects.create(
        **{
            "panel_id": number,
            "username": f"user_{number}",
            "status": "ACTIVE",
            "expire_at": NOON + timedelta(days=30),
            "panel_created_at": NOON,
            **changes,
        }
    )


def payment(**changes: Any) -> Payment:
    """An order of 5 USDT, ordered at NOON."""
    return Payment.objects.create(
        **{
            "plan_code": "month",
            "plan_title": "Month",
            "period_days": 30,
            "currency_type": "crypto",
            "currency": "USDT",
            "amount": Decimal("5"),
            "created_at": NOON,
            **changes,
        }
    )


def paid(number: int, at: datetime = NOON, **changes: Any) -> Payment:
    """One that was paid, with a fee of 3 %."""
    return payment(
        **{
            "state": "completed", "external_id": str(number), "paid_at": at, "completed_at": at,
            "paid_asset": "USDT", "paid_amount": Decimal("5.000000000012"),
            "fee_asset": "USDT", "fee_amount": Decimal("0.15"), **changes,
        }
    )  # fmt: skip


def node(name: str, **changes: Any) -> Node:
    """A server that is online, known for ten days before NOON."""
    row = Node(
        **{
            "uuid": uuid7(), "name": name, "address": "192.0.2.7", "country_code": "DE",
            "health": "online", "health_since": NOON, "seen_health": "online", "seen_since": NOON,
            "checked_at": NOON, "created_at": NOON - timedelta(days=10), **changes,
        }
    )  # fmt: skip
    row.save(force_insert=True)
    return row


def span(row: Node, health: str, began_at: datetime, ended_at: datetime | None) -> None:
    """A time in which a server was in that health."""
    NodeState.objects.create(node=row, health=health, began_at=began_at, ended_at=ended_at)


def hour(row: Node, at: datetime, count: int) -> None:
    """So many bytes in the hour that begins then."""
    NodeHour.objects.create(
        node=row, hour=at, bytes_sum=count, users_avg=1.0, users_max=1, samples=12
    )


def act(name: str = "olga", **changes: Any) -> AuditEntry:
    """A line of the audit log, of NOON."""
    return AuditEntry.objects.create(
        **{
            "at": NOON, "account_name": name, "action": "jobs.replay", "object_type": "job",
            "object_id": str(UUID(int=7)), "changes": {"kind": "x"}, **changes,
        }
    )  # fmt: skip
