"""How the servers did on a day: traffic, uptime, and what was down, theirs and that of other services."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from monitoring.checks.models import ServiceOutage
from monitoring.nodes.models import Node
from monitoring.nodes.selectors import Incident, incidents, traffic, uptime
from reports.statistics.days.spans import Span

MOST = 100  # incidents of a day that are listed, the longest


@dataclass(slots=True)
class Servers:
    """The figures of one day; DailyStat says what the fields look like."""

    traffic: int | None = None
    uptime: float | None = None
    nodes: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)


def servers_of(span: Span) -> Servers:
    """The figures of a day that is over. Five statements."""
    bytes_of = traffic(span.begin, span.end) if span.is_within(settings.NODE_HOURS_KEPT) else None
    up = uptime(None, span.begin, span.end)
    found = incidents(span.begin, span.end)
    known = set(up) | set(bytes_of or ()) | {each.node_id for each in found}
    names = dict(Node.objects.filter(pk__in=known).values_list("pk", "name"))
    times = Counter(each.node_id for each in found)
    down = Counter[UUID]()
    for each in found:
        down[each.node_id] += round(_within(each, span).total_seconds())
    nodes = [
        {
            "uuid": str(pk),
            "name": name,
            "bytes": None if bytes_of is None else bytes_of.get(pk, 0),
            "uptime": up.get(pk),
            "incidents": times[pk],
            "down_s": down[pk],
        }
        for pk, name in sorted(names.items(), key=lambda pair: (pair[1], pair[0]))
    ]
    return Servers(
        traffic=None if bytes_of is None else sum(bytes_of.values()),
        uptime=sum(up.values()) / len(up) if up else None,
        nodes=nodes,
        incidents=_listed([*_of_nodes(found, span), *_of_services(span)]),
    )


def _within(incident: Incident, span: Span) -> timedelta:
    """The part of an incident that lies on the day."""
    return min(incident.ended_at or span.end, span.end) - max(incident.began_at, span.begin)


def _of_nodes(found: list[Incident], span: Span) -> Iterator[dict[str, Any]]:
    for each in found:
        yield _incident("server", each.name, each.began_at, each.ended_at, each.reason, span)


def _of_services(span: Span) -> Iterator[dict[str, Any]]:
    """Services of others and of ours that did not answer; while nobody looked nothing is said."""
    rows = (
        ServiceOutage.objects.filter(began_at__lt=span.end)
        .exclude(ended_at__lte=span.begin)
        .exclude(kind=ServiceOutage.Kind.UNWATCHED)
        .order_by("began_at", "pk")
    )
    for row in rows:
        text = row.error.strip().rsplit("\n", 1)[-1]
        yield _incident("service", row.service_id, row.began_at, row.ended_at, text, span)


def _incident(
    what: str, name: str, began: datetime, ended: datetime | None, text: str, span: Span
) -> dict[str, Any]:
    """As the day saw it: what came after its end is not known to it, so it says the same for ever."""
    is_open = ended is None or ended >= span.end
    return {
        "what": what,
        "name": name,
        "began_at": began.isoformat(),
        "ended_at": None if is_open or ended is None else ended.isoformat(),
        "text": text[:200],
    }


def _listed(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By their beginning; of more than MOST the first."""
    return sorted(found, key=lambda each: (each["began_at"], each["what"], each["name"]))[:MOST]
