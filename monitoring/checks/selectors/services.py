"""Services as people look at them: how they stand, how they stood, how quick they are."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from jobs import sql
from lib import clock
from monitoring.checks.errors import ServiceUnknown
from monitoring.checks.known import BY_NAME, SERVICES, Service
from monitoring.checks.models import ServiceCheck, ServiceOutage
from monitoring.checks.models.service import ServiceState
from monitoring.checks.selectors.uptime import LONGEST, WINDOWS, Span, Uptime, uptime_of

PAGE = 50
MOST_SPANS = (
    50_000  # of all services in the longest window; one that flaps each minute makes 720 a day
)
SPANS = {"24h": (timedelta(hours=24), 96), "7d": (timedelta(days=7), 168)}  # of latency charts


@dataclass(frozen=True, slots=True)
class Quickness:
    """Looks of one piece of time: half of them took p50_ms at most, the slowest took most_ms."""

    begins_at: datetime
    p50_ms: float
    most_ms: float
    looks: int
    failed: int


@dataclass(slots=True)
class ServiceView:
    """A service; `row` is None until its first check."""

    service: Service
    row: ServiceCheck | None
    uptimes: list[Uptime] = field(default_factory=list)
    quickness: list[Quickness] = field(default_factory=list)
    open_outage: ServiceOutage | None = None

    @property
    def state(self) -> str:
        """One of ServiceState; "unknown" before the first check."""
        return self.row.state if self.row else "unknown"


def services_view(*, names: Collection[str] = ()) -> list[ServiceView]:
    """All services, or some, with their uptimes and the latency of 24 hours. Three queries."""
    now = clock.now()
    wanted = [each for each in SERVICES if not names or each.name in names]
    rows = {row.name: row for row in ServiceCheck.objects.filter(name__in=[s.name for s in wanted])}
    outages = _outages(rows, now - LONGEST)
    quickness = latencies("24h", names=[service.name for service in wanted])
    views = []
    for service in wanted:
        row, mine = rows.get(service.name), outages.get(service.name, [])
        view = ServiceView(service, row, quickness=quickness.get(service.name, []))
        view.open_outage = next((each for each in mine if each.ended_at is None), None)
        if row is not None:
            view.uptimes = _uptimes(row, mine, now)
        views.append(view)
    return views


def service_view(name: str) -> ServiceView:
    """One service. Raises ServiceUnknown. Three queries."""
    if name not in BY_NAME:
        raise ServiceUnknown(f"there is no service {name}")
    return services_view(names=[name])[0]


def latencies(span: str, *, names: Collection[str]) -> dict[str, list[Quickness]]:
    """How quick services were, by name, the oldest piece first. span: a key of SPANS. One query."""
    length, pieces = SPANS[span]
    step, now = length / pieces, clock.now()
    begin = now - length
    found = defaultdict[str, list[Quickness]](list)
    for service, number, p50, most, looks, failed in sql.rows(
        """SELECT service, floor(extract(epoch FROM at - %(begin)s) / %(step_s)s)::int,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms), max(latency_ms), count(*),
            count(*) FILTER (WHERE NOT is_ok)
        FROM service_sample WHERE service = ANY(%(names)s) AND at >= %(begin)s AND at <= %(now)s
            AND latency_ms IS NOT NULL
        GROUP BY 1, 2 ORDER BY 1, 2""",
        {"begin": begin, "now": now, "step_s": step.total_seconds(), "names": list(names)},
    ):
        found[service].append(Quickness(begin + step * number, p50, most, looks, failed))
    return found


def outages_page(
    *, service: str = "", kind: str = "", after: int | None = None, size: int = PAGE
) -> tuple[list[ServiceOutage], int | None]:
    """Outages, newest first, and where the next page begins. One query on an index."""
    rows = ServiceOutage.objects.order_by("-id")
    if service:
        rows = rows.filter(service=service)
    if kind:
        rows = rows.filter(kind=kind)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: size + 1])
    return found[:size], found[size - 1].pk if len(found) > size else None


def services_down() -> list[str]:
    """Titles of the services that are down, for whoever asks whether anything is wrong. One query."""
    names = ServiceCheck.objects.filter(state=ServiceState.DOWN).values_list("name", flat=True)
    down = set(names)
    return [service.title for service in SERVICES if service.name in down]


def _outages(names: Collection[str], since: datetime) -> Mapping[str, list[ServiceOutage]]:
    found = defaultdict[str, list[ServiceOutage]](list)
    for outage in ServiceOutage.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=since), service__in=list(names)
    ).order_by("-id")[:MOST_SPANS]:
        found[outage.service_id].append(outage)
    return found


def _uptimes(row: ServiceCheck, outages: list[ServiceOutage], now: datetime) -> list[Uptime]:
    spans = [
        Span(
            each.began_at,
            each.ended_at or now,
            is_blind=each.kind == ServiceOutage.Kind.UNWATCHED,
        )
        for each in outages
    ]
    last = row.checked_at or now
    until = min(now, last + 3 * settings.SERVICE_CHECK_INTERVAL)
    return [
        uptime_of(window, spans, now=now, watched_since=row.watched_since, watched_until=until)
        for window in WINDOWS
    ]
