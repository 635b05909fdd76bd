"""How it stands with subscribers as a whole."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q

from jobs import sql
from lib import clock
from subscriptions.access.gaps import GapKind
from subscriptions.models import AccessGap, Drift, MirrorPass, PanelState, SubscriberCount

SPANS = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
POINTS = 200  # of a chart
PASSES = 8
COUNTED = 1_000  # more differences than this are "1,000 or more"

# One of the rows of each part of the span.
_POINTS = """
SELECT DISTINCT ON (width_bucket(extract(epoch FROM at), %(from)s, %(to)s, %(points)s)) id
FROM subscriber_count WHERE at >= to_timestamp(%(from)s)
ORDER BY width_bucket(extract(epoch FROM at), %(from)s, %(to)s, %(points)s), at DESC
"""


@dataclass(frozen=True, slots=True)
class Now:
    """The last count (None: there is none yet), the counts of a span, the last passes, what waits."""

    last: SubscriberCount | None
    counts: list[SubscriberCount]
    passes: list[MirrorPass]
    panel: PanelState | None
    gaps: int  # without the held
    held: int
    drifts: int


def now_get(span: str) -> Now:
    """How it stands; an unknown span is the first one. Seven queries."""
    now = clock.now()
    window = SPANS.get(span, next(iter(SPANS.values())))
    bounds = {
        "from": (now - window).timestamp(),
        "to": now.timestamp() + 1,
        "points": POINTS,
    }
    ids = [row[0] for row in sql.rows(_POINTS, bounds)]
    gaps = AccessGap.objects.filter(healed_at=None).aggregate(
        gaps=Count("pk", filter=~Q(kind=GapKind.HELD)),
        held=Count("pk", filter=Q(kind=GapKind.HELD)),
    )
    drifts = Drift.objects.filter(resolved_at=None).order_by()
    return Now(
        last=SubscriberCount.objects.order_by("-at").first(),
        counts=list(SubscriberCount.objects.filter(pk__in=ids).order_by("at")),
        passes=list(MirrorPass.objects.order_by("-id")[:PASSES]),
        panel=PanelState.objects.first(),
        **gaps,
        drifts=drifts.values("pk")[:COUNTED].count(),
    )


def passes_page(after: str, *, size: int = 50) -> tuple[list[MirrorPass], str]:
    """Passes older than one, newest first, and the last of them if there are more. One query."""
    rows = MirrorPass.objects.order_by("-id")
    if after:
        with suppress(ValueError):  # an address that somebody has cut shows the first page
            rows = rows.filter(pk__lt=UUID(after))
    found = list(rows[: size + 1])
    return found[:size], str(found[size - 1].pk) if len(found) > size else ""
