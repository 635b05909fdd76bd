"""How many people are online, and of all subscribers how many are what."""

from datetime import timedelta
from typing import Any

from lib import clock
from monitoring.dashboard.panel import PanelLook
from subscriptions.models import SubscriberCount

OLD = timedelta(minutes=30)  # a count that is older says nothing about now

_STATUSES = ("total", "active", "disabled", "limited", "expired")


def people(look: PanelLook | None) -> dict[str, Any]:
    """{online, source, at, total, active, disabled, limited, expired}; null is what nobody knows.

    source: "panel" is this moment, "count" the last count of subscribers (every ten minutes). One query
    at most.
    """
    if look is not None and look.people:
        return {**look.people, "source": "panel", "at": look.at}
    count = SubscriberCount.objects.order_by("-at").first()
    if count is None or count.at < clock.now() - OLD:
        return {"online": None, "source": "", "at": None, **dict.fromkeys(_STATUSES)}
    return {
        "online": count.online,
        "source": "count",
        "at": count.at,
        **{name: getattr(count, name) for name in _STATUSES},
    }
