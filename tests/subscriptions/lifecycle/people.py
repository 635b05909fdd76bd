"""Subscribers for tests: in the panel and in the mirror, as far as a test does not want it otherwise."""

from datetime import datetime, timedelta
from typing import Any

from lib import clock
from subscriptions.mirror.owners import columns_of
from subscriptions.models import Plan, Subscriber
from subscriptions.panel import door
from tests.sandbox.remnawave.hand import PanelHand

STANDARD = "standard"


def plan_make(code: str = STANDARD, **fields: Any) -> Plan:
    """A plan; the same one for the same code."""
    made, _ = Plan.objects.get_or_create(
        code=code, defaults={"title": "Standard, 1 month", "period_days": 30, **fields}
    )
    return made


def subscriber_make(number: int, ends_in: timedelta | datetime, **fields: Any) -> Subscriber:
    """A row of the mirror, without anything in a panel."""
    expire_at = ends_in if isinstance(ends_in, datetime) else clock.now() + ends_in
    return Subscriber.objects.create(
        **{
            "panel_id": number,
            "username": f"user_{number}",
            "status": "ACTIVE",
            "expire_at": expire_at,
            "telegram_id": 500_000_000 + number,
            **fields,
        }
    )


class People:
    """Makes them one by one."""

    def __init__(self, hand: PanelHand) -> None:
        self.panel = hand
        self._next = 0

    def make(
        self, ends_in: timedelta, *, panel: dict[str, Any] | None = None, **mirror: Any
    ) -> Subscriber:
        """Somebody whose time ends so soon, mirrored. panel: what changed there since, in silence."""
        self._next += 1
        user = self.panel.add(
            username=f"person_{self._next}",
            expireAt=(clock.now() + ends_in).isoformat(),
            status=mirror.get("status", "ACTIVE"),
            telegramId=mirror.get("telegram_id", 500_000_000 + self._next),
        )
        columns = columns_of(door.panel().user(user["id"]))
        row = Subscriber.objects.create(**{**columns, **mirror})
        if panel:
            self.panel.change(user["id"], **panel)
        return row

    def status(self, row: Subscriber) -> str:
        """What the panel says now."""
        return str(self.panel.user(row.panel_id or 0)["status"])
