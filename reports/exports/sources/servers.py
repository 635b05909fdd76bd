"""Servers as they are now, with what went through them and how they were in the range."""

from datetime import datetime
from typing import Any

from django.db.models import Count, F, Func, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.fields import DateTimeField, FloatField
from django.db.models.functions import Coalesce, Greatest, Least

from lib import clock
from monitoring.nodes.models import Health, Node, NodeHour, NodeState
from reports.exports.columns import Column, Kind
from reports.exports.sources.source import Entry, Part, Source, narrowed
from subscriptions.filtering import flag_read, words_read

COLUMNS = (
    Column("uuid", "id in the panel", "uuid", Kind.ID),
    Column("name", "name", "name"),
    Column("address", "where the panel reaches it", "address"),
    Column("country", "two letters; XX: unknown", "country_code"),
    Column("city", "as a person says", "city"),
    Column("hoster", "who rents it out", "provider"),
    Column("tags", "tags in the panel; blanks between them in CSV", "tags", Kind.LIST),
    Column("health", "online, offline, warning (connecting) or maintenance, now", "health"),
    Column("health_since", "since when", "health_since", Kind.MOMENT),
    Column("users_online", "now", "users_online", Kind.NUMBER),
    Column("traffic_used_bytes", "as the panel counts", "traffic_used_bytes", Kind.NUMBER),
    Column("traffic_limit_bytes", "allowance; 0: none", "traffic_limit_bytes", Kind.NUMBER),
    Column("xray_version", "version of Xray", "xray_version"),
    Column("node_version", "version of the node", "node_version"),
    Column("monthly_cost", "as a person says", "monthly_cost", Kind.MONEY),
    Column("cost_currency", "of that", "cost_currency"),
    Column("known_since", "first seen by us", "created_at", Kind.MOMENT),
    Column("checked_at", "the last answer that listed it", "checked_at", Kind.MOMENT),
    Column("removed_at", "no longer listed since", "removed_at", Kind.MOMENT),
    Column(
        "range_bytes", "traffic of whole hours that begin in the range", "range_bytes", Kind.NUMBER
    ),
    Column("online_seconds", "of the range", "online_seconds", Kind.NUMBER),
    Column("warning_seconds", "of the range, connecting", "warning_seconds", Kind.NUMBER),
    Column("offline_seconds", "of the range", "offline_seconds", Kind.NUMBER),
    Column("maintenance_seconds", "of the range", "maintenance_seconds", Kind.NUMBER),
    Column("outages", "times offline that began in the range", "outages", Kind.NUMBER),
)
_PARTS = {
    "health": Part(
        "health",
        words_read(tuple(Health.values)),
        lambda value: Q(health__in=value),
        Entry.WORDS,
        lambda: [(str(value), str(label)) for value, label in Health.choices],
    ),
    "country": Part("country", words_read(), lambda value: Q(country_code__in=value), Entry.WORDS),
    "removed": Part(
        "is removed", flag_read, lambda value: Q(removed_at__isnull=not value), Entry.FLAG
    ),
}


def _rows(
    filters: dict[str, Any], since: datetime | None, until: datetime | None
) -> QuerySet[Node]:
    """Servers that were there in some part of the range."""
    end = until or clock.now()
    rows = narrowed(Node.objects.filter(created_at__lt=end), _PARTS, filters)
    if since is not None:
        rows = rows.filter(Q(removed_at=None) | Q(removed_at__gt=since))
    hours = _within(NodeHour.objects.filter(hour__lt=end), "hour", since)
    outages = _within(
        NodeState.objects.filter(health=Health.OFFLINE, began_at__lt=end), "began_at", since
    )
    found: QuerySet[Node] = rows.annotate(
        range_bytes=_each(hours, Sum("bytes_sum")),
        outages=_each(outages, Count("id")),
        **{f"{health.value}_seconds": _seconds(health, since, end) for health in Health},
    )
    return found


def _within(rows: QuerySet[Any], field: str, since: datetime | None) -> QuerySet[Any]:
    return rows if since is None else rows.filter(**{f"{field}__gte": since})


def _each(rows: QuerySet[Any], total: Any) -> Coalesce:
    """A total over the rows of each server; 0 without any."""
    own = rows.filter(node=OuterRef("pk")).order_by().values("node")
    return Coalesce(Subquery(own.annotate(total=total).values("total")), Value(0))


def _seconds(health: Health, since: datetime | None, end: datetime) -> Any:
    """How long a server was in one health, cut at the ends of the range."""
    spans = NodeState.objects.filter(health=health, began_at__lt=end)
    if since is not None:
        spans = spans.filter(Q(ended_at=None) | Q(ended_at__gt=since))
    last = Value(end, output_field=DateTimeField())
    first: Any = F("began_at")
    if since is not None:
        first = Greatest(first, Value(since, output_field=DateTimeField()))
    lasted = Func(
        Least(Coalesce(F("ended_at"), last), last),
        first,
        template="extract(epoch FROM (%(expressions)s))",
        arg_joiner=" - ",
        output_field=FloatField(),
    )
    total = Coalesce(_each(spans, Sum(lasted)), Value(0.0), output_field=FloatField())
    return Func(total, function="round", template="%(function)s((%(expressions)s)::numeric)")


SERVERS = Source(
    name="servers",
    title="Servers",
    permission="nodes.view_node",
    span="the time that the last six columns tell of; without one, all that is kept",
    columns=COLUMNS,
    parts=_PARTS,
    rows=_rows,
    key_is_ordered=False,
)
