"""Rows that days are computed from, at moments of days that are long over."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import connection

from jobs.models import AuditEntry
from lib import clock
from monitoring.nodes.models import Node, NodeHour, NodeState
from notifications.telegram.models import QueuedMessage
from payments.models import Payment
from payments.models import State as PaymentState
from subscriptions.models import (
    Activation,
    MirrorPass,
    Subscriber,
    SubscriberCount,
    SubscriberEvent,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
_numbers = itertools.count(1)


def day_back(days: int) -> date:
    """A day of the past. Three and more back are final whatever hour a test runs at."""
    return (clock.now().astimezone(UTC) - timedelta(days=days)).date()


def at(day: date, hours: float = 12) -> datetime:
    """A moment of a day."""
    return datetime.combine(day, time(), UTC) + timedelta(hours=hours)


def paid(moment: datetime, amount: str = "5", **changes: Any) -> Payment:
    """A completed payment."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "external_id": str(number),
        "state": PaymentState.COMPLETED,
        "plan_code": "month",
        "plan_title": "Standard, 1 month",
        "period_days": 30,
        "currency_type": "crypto",
        "currency": "USDT",
        "amount": Decimal(amount),
        "paid_at": moment,
        "completed_at": moment,
        "paid_asset": "USDT",
        "paid_amount": Decimal(amount),
        "found_by": "webhook",
        "subscriber_id": number,
        "created_at": moment,
    }
    return Payment.objects.create(**{**fields, **changes})


def refunded(payment: Payment, moment: datetime) -> None:
    payment.state, payment.refunded_at = PaymentState.REFUNDED, moment
    payment.save(update_fields=["state", "refunded_at"])


def served(payment: Payment, begin: datetime, days: int = 30) -> Activation:
    """The access that a payment gave."""
    return Activation.objects.create(
        payment=payment,
        subscriber_id=payment.subscriber_id,
        days=days,
        base_expire_at=begin,
        target_expire_at=begin + timedelta(days=days),
        state=Activation.State.APPLIED,
        applied_at=begin,
    )


def person(joined: datetime, ends: datetime, status: str = "ACTIVE", **fields: Any) -> Subscriber:
    """Somebody of the mirror."""
    number = next(_numbers)
    return Subscriber.objects.create(
        **{
            "panel_id": number,
            "username": f"person_{number}",
            "status": status,
            "expire_at": ends,
            "panel_created_at": joined,
            **fields,
        }
    )


def happened(row: Subscriber, kind: str, moment: datetime, **told: Any) -> None:
    """A line of the story."""
    data = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in told.items()
    }
    SubscriberEvent.objects.create(subscriber=row, kind=kind, source="panel", at=moment, data=data)


def watched(since: datetime) -> None:
    """The panel was read through for the first time."""
    MirrorPass.objects.create(dialect="v3", started_at=since - HOUR, finished_at=since)


def counted(moment: datetime, active: int = 7, online: int = 3, **changes: int) -> SubscriberCount:
    """A count of the platform."""
    figures = {"disabled": 1, "limited": 2, "expired": 4, **changes}
    return SubscriberCount.objects.create(
        at=moment, total=active + sum(figures.values()), active=active, online=online,
        source="panel", **figures,
    )  # fmt: skip


def node(name: str, moment: datetime) -> Node:
    """A server that is online since a moment."""
    made = Node.objects.create(
        uuid=uuid4(), name=name, address="203.0.113.9", country_code="DE", health="online",
        health_since=moment, seen_health="online", seen_since=moment, checked_at=clock.now(),
    )  # fmt: skip
    NodeState.objects.create(node=made, health="online", began_at=moment)
    return made


def down(made: Node, begin: datetime, end: datetime) -> None:
    """An outage in the open span of a server: online, offline, online."""
    NodeState.objects.filter(node=made, ended_at=None).update(ended_at=begin)
    NodeState.objects.create(
        node=made, health="offline", began_at=begin, ended_at=end, reason="connection refused"
    )
    NodeState.objects.create(node=made, health="online", began_at=end)


def hour(made: Node, moment: datetime, size: int) -> None:
    """An hour of traffic."""
    NodeHour.objects.create(
        node=made, hour=moment, bytes_sum=size, users_avg=1, users_max=2, samples=12
    )


def message(status: str, moment: datetime) -> None:
    """A Telegram message that ended at a moment."""
    ends = {"sent": {"sent_at": moment}, "failed": {"failed_at": moment}}
    QueuedMessage.objects.create(telegram_id=1, message="x", status=status, **ends.get(status, {}))


def act(action: str, moment: datetime, name: str = "olga") -> None:
    """A line of the audit log."""
    entry = AuditEntry.objects.create(
        account_name=name, action=action, object_type="job", object_id="1"
    )
    AuditEntry.objects.filter(pk=entry.pk).update(at=moment)


def failed_try(error: str | None, moment: datetime, outcome: str = "retried") -> None:
    """A try of a job that failed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO jobs_jobattempt (id, job_id, attempt, fence, finished_at, outcome, error)
            VALUES (%s, %s, 1, 1, %s, %s, %s)""",
            [uuid4(), uuid4(), moment, outcome, error],
        )


def looked(moment: datetime, latency_ms: float, service: str = "remnawave") -> None:
    """A look at a service."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO service_sample (at, service, is_ok, latency_ms) VALUES (%s, %s, true, %s)",
            [moment, service, latency_ms],
        )
