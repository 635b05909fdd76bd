"""How the doors are: where they are mounted, whether they can prove what comes, when it last came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q
from django.urls import Resolver404, resolve

from lib import clock
from payments.intake.sources import Source, sources
from payments.models import IncomingWebhook, Intake

LATELY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class HookHealth:
    """One door. counts: deliveries of the last 24 hours by state."""

    source: Source
    is_mounted: bool
    is_provable: bool  # its secret is set
    last_at: datetime | None  # of the last one that was signed, within 24 hours
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """Deliveries of the last 24 hours."""
        return sum(self.counts.values())


def is_mounted(source: Source) -> bool:
    """Whether an address of the site leads to the door."""
    try:
        resolve(source.path)
    except Resolver404:
        return False
    return True


def hooks_health() -> list[HookHealth]:
    """All doors. One query over the last 24 hours, whatever the number of doors."""
    rows = (
        IncomingWebhook.objects.filter(received_at__gte=clock.now() - LATELY)
        .values("source", "state")
        .annotate(n=Count("pk"), last=Max("received_at", filter=Q(is_valid=True)))
    )
    counts: dict[str, dict[str, int]] = {}
    last: dict[str, datetime] = {}
    for row in rows:
        counts.setdefault(row["source"], {})[row["state"]] = row["n"]
        if row["last"] is not None:
            last[row["source"]] = max(row["last"], last.get(row["source"], row["last"]))
    return [
        HookHealth(
            source,
            is_mounted(source),
            source.verify(b"", {}) is not None,
            last.get(source.name),
            {state: counts.get(source.name, {}).get(state, 0) for state in Intake.values},
        )
        for source in sources()
    ]
