"""Subscribers without a panel, for what only looks at our tables."""

from datetime import timedelta
from typing import Any

from lib import clock
from subscriptions.models import Subscriber


def rows_make(count: int, **changes: Any) -> list[Subscriber]:
    """So many active subscribers; changes apply to all."""
    first = Subscriber.objects.count() + 1
    given = {"status": "ACTIVE", "expire_at": clock.now() + timedelta(days=10), **changes}
    return [
        Subscriber.objects.create(panel_id=1000 + n, username=f"person_{n}", **given)
        for n in range(first, first + count)
    ]
