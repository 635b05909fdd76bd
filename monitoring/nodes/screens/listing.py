"""The list of servers: which, in the order of the panel, and what is shown of each."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from jobs import sql
from lib import clock
from monitoring.alerts.services import alerts_open
from monitoring.nodes.models import Health, Node
from monitoring.nodes.selectors import rates_now, uptime
from monitoring.nodes.telling import SILENT
from monitoring.nodes.usual import Usual, usual_now

PAGE = 50
TROUBLED = "troubled"  # a filter of its own: whatever does not serve and should
GONE = "gone"
QUIET = "silent"  # says online, and has an open alert of silent failure
DAY = timedelta(hours=24)
SPANS = {"24 h": DAY, "7 d": timedelta(days=7), "30 d": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class NodeFilter:
    """Which servers. Empty values match all; those that are gone only if state says so."""

    ids: tuple[UUID, ...] = ()
    q: str = ""  # part of name or address
    state: str = ""  # a health, TROUBLED, QUIET or GONE
    country: str = ""
    provider: str = ""
    tag: str = ""
    created_from: datetime | None = None
    created_to: datetime | None = None

    def query(self) -> QuerySet[Node]:
        """The rows, in the order of the panel."""
        rows = Node.objects.order_by("view_position", "name", "uuid")
        if self.ids:
            return rows.filter(pk__in=self.ids)
        rows = rows.filter(removed_at__isnull=self.state != GONE)
        if self.state == TROUBLED:
            rows = rows.filter(health__in=[Health.OFFLINE, Health.WARNING])
        elif self.state == QUIET:
            rows = rows.filter(pk__in=silent_ids())
        elif self.state and self.state != GONE:
            rows = rows.filter(health=self.state)
        if self.q:
            rows = rows.filter(Q(name__icontains=self.q) | Q(address__icontains=self.q))
        if self.country:
            rows = rows.filter(country_code=self.country.upper())
        if self.provider:
            rows = rows.filter(provider=self.provider)
        if self.tag:
            rows = rows.filter(tags__contains=[self.tag])
        if self.created_from:
            rows = rows.filter(created_at__gte=self.created_from)
        if self.created_to:
            rows = rows.filter(created_at__lt=self.created_to)
        return rows


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a strip of states: where it begins and how wide it is, in percent of the strip."""

    health: Health
    left: float
    width: float
    began_at: datetime
    ended_at: datetime | None


@dataclass(slots=True)
class NodeLine:
    """A line of the list. spark: bytes per second of the last 24 hours, None where nothing is known."""

    row: Node
    usual: Usual
    rate: float | None
    strip: list[Span] = field(default_factory=list)
    spark: list[float | None] = field(default_factory=list)
    uptimes: dict[str, float | None] = field(default_factory=dict)
    is_silent: bool = False

    @property
    def pk(self) -> UUID:
        """What the table of the console asks of a row."""
        return self.row.pk


@dataclass(frozen=True, slots=True)
class NodesPage:
    """Some servers, and where the next page starts (empty: this was the last)."""

    lines: list[NodeLine]
    after: str
    looked_to: None = None  # what the shared table asks


def nodes_page(where: NodeFilter, *, after: str = "", size: int = PAGE) -> NodesPage:
    """Those that match, with what is shown of them. Nine queries, however many there are."""
    rows, following = rows_page(where, after=after, size=size)
    return NodesPage(nodes_lines(rows), following)


def rows_page(where: NodeFilter, *, after: str = "", size: int = PAGE) -> tuple[list[Node], str]:
    """Those that match behind `after`, and where the next page starts (empty: this was the last).

    What cannot be read as a mark starts anew. One query.
    """
    rows = where.query()
    mark = _mark(after)
    if mark is not None:
        position, name, pk = mark
        rows = rows.filter(view_position__gte=position).exclude(
            Q(view_position=position) & (Q(name__lt=name) | Q(name=name, pk__lte=pk))
        )
    found = list(rows[: size + 1])
    if len(found) <= size:
        return found, ""
    last = found[size - 1]
    return found[:size], f"{last.view_position}:{last.pk}:{last.name}"


def nodes_lines(rows: list[Node]) -> list[NodeLine]:
    """What is shown of these. Eight queries."""
    if not rows:
        return []
    now, ids = clock.now(), [row.pk for row in rows]
    usual, rates = usual_now(), rates_now()
    strips, sparks = strips_of(ids, now - DAY, now), sparks_of(ids, now)
    silent = silent_ids()
    ups = {label: uptime(ids, now - span, now) for label, span in SPANS.items()}
    return [
        NodeLine(
            row=row,
            usual=usual.get(row.pk, (None, None)),
            rate=rates.get(row.pk),
            strip=strips.get(row.pk, []),
            spark=sparks.get(row.pk, []),
            uptimes={label: found.get(row.pk) for label, found in ups.items()},
            is_silent=row.pk in silent,
        )
        for row in rows
    ]


def silent_ids() -> set[UUID]:
    """Servers with an open alert of silent failure. One query. Alerts from outside may name others."""
    keys = alerts_open(SILENT).values_list("key", flat=True)
    return {found for key in keys if (found := _uuid(key)) is not None}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def strips_of(ids: list[UUID], since: datetime, until: datetime) -> dict[UUID, list[Span]]:
    """The states of each server over a time, as parts of a strip. One query."""
    found = sql.rows(
        """SELECT node_id, health, began_at, ended_at FROM node_state
        WHERE node_id = ANY(%s) AND began_at < %s AND coalesce(ended_at, %s) > %s
        ORDER BY node_id, began_at""",
        [ids, until, until, since],
    )
    whole = (until - since).total_seconds()
    strips: dict[UUID, list[Span]] = {}
    for node_id, health, began_at, ended_at in found:
        start = max(began_at, since)
        end = min(ended_at or until, until)
        strips.setdefault(node_id, []).append(
            Span(
                Health(health),
                (start - since).total_seconds() / whole * 100,
                max(0.0, (end - start).total_seconds()) / whole * 100,
                began_at,
                ended_at,
            )
        )
    return strips


def sparks_of(ids: list[UUID], now: datetime) -> dict[UUID, list[float | None]]:
    """Bytes per second of each of the last 24 hours that are over, the oldest first. One query."""
    last = now.replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=back) for back in range(24, 0, -1)]
    found = sql.rows(
        """SELECT node_id, hour, rate_avg FROM node_hour
        WHERE node_id = ANY(%s) AND hour >= %s AND hour < %s""",
        [ids, hours[0], last],
    )
    rates: dict[UUID, dict[datetime, float | None]] = {}
    for node_id, hour, rate in found:
        rates.setdefault(node_id, {})[hour] = rate
    return {pk: [of_hour.get(hour) for hour in hours] for pk, of_hour in rates.items()}


@dataclass(frozen=True, slots=True)
class Totals:
    """All servers that the panel lists."""

    by_health: dict[str, int]
    users: int
    users_usual: float | None
    rate: float | None
    checked_at: datetime | None

    @property
    def all(self) -> int:
        """How many."""
        return sum(self.by_health.values())


def totals_now() -> Totals:
    """The tiles above the list. Three queries."""
    rows = list(
        Node.objects.filter(removed_at=None).values_list(
            "pk", "health", "users_online", "checked_at"
        )
    )
    usual, rates = usual_now(), rates_now()
    known = [usual[pk][0] for pk, *_ in rows if pk in usual]
    counts = {health.value: 0 for health in Health}
    for _, health, _, _ in rows:
        counts[health] += 1
    return Totals(
        by_health=counts,
        users=sum(users for _, _, users, _ in rows),
        users_usual=sum(each for each in known if each is not None) if known else None,
        rate=sum(rates.values()) if rates else None,
        checked_at=max((at for *_, at in rows), default=None),
    )


def choices_of() -> dict[str, list[str]]:
    """What filters may offer: countries, providers and tags that there are. One query."""
    row = sql.row(
        """SELECT array_agg(DISTINCT country_code ORDER BY country_code),
            array_agg(DISTINCT provider ORDER BY provider) FILTER (WHERE provider <> ''),
            (SELECT array_agg(DISTINCT tag ORDER BY tag) FROM node, unnest(tags) tag)
        FROM node"""
    )
    countries, providers, tags = row if row is not None else (None, None, None)
    return {"country": countries or [], "provider": providers or [], "tag": tags or []}


def _mark(after: str) -> tuple[int, str, UUID] | None:
    position, _, rest = after.partition(":")
    key, _, name = rest.partition(":")
    try:
        return int(position[:12]), name, UUID(key)
    except ValueError:
        return None
