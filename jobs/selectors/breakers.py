"""Breakers as operators see them, with those that code names and nothing has tripped yet."""

from dataclasses import dataclass, field

from jobs.models import Breaker, BreakerEvent
from jobs.registry import kinds

EVENTS = 10  # per breaker


@dataclass(slots=True)
class BreakerView:
    """A breaker, the kinds that ask it, and its latest changes."""

    breaker: Breaker
    kinds: list[str] = field(default_factory=list)
    events: list[BreakerEvent] = field(default_factory=list)


def breakers_list() -> list[BreakerView]:
    """All breakers by name, those that hold calls back first. One query, and one per breaker."""
    views = {row.name: BreakerView(row) for row in Breaker.objects.order_by("name")}
    for kind in kinds():
        if kind.breaker:
            view = views.setdefault(kind.breaker, BreakerView(Breaker(name=kind.breaker)))
            view.kinds.append(kind.name)
    for view in views.values():
        # Few breakers, and each finds its rows at the end of an index.
        view.events = list(
            BreakerEvent.objects.filter(breaker_id=view.breaker.name).order_by("-id")[:EVENTS]
        )
    return sorted(
        views.values(), key=lambda view: (view.breaker.state == "closed", view.breaker.name)
    )
