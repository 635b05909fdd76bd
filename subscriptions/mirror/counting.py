"""How many subscribers there are of whom (U7): asked of the panel, or counted here while it is away."""

from datetime import timedelta

from jobs import sql
from lib import clock
from subscriptions.models import MirrorPass, SubscriberCount
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelError
from subscriptions.panel.types import PanelStatus

KEPT = timedelta(days=400)
ONLINE = timedelta(minutes=2)  # the mirror is behind the panel, which says 30 s

_COUNT = """
SELECT count(*), count(*) FILTER (WHERE status = 'ACTIVE'), count(*) FILTER (WHERE status = 'DISABLED'),
    count(*) FILTER (WHERE status = 'LIMITED'), count(*) FILTER (WHERE status = 'EXPIRED'),
    count(*) FILTER (WHERE online_at > %(online)s)
FROM subscriber WHERE missing_since IS NULL AND panel_id IS NOT NULL
"""


def counts_take(client: PanelClient | None) -> SubscriberCount:
    """Write down the figures of this moment. client None, or a panel that fails: the mirror's own.

    Repeat: one more row. Costs one look at all subscribers only while the panel is away.
    """
    row = None if client is None else _of_panel(client)
    row = row or _of_mirror()
    row.save(force_insert=True)
    SubscriberCount.objects.filter(at__lt=clock.now() - KEPT).delete()
    return row


def _of_panel(client: PanelClient) -> SubscriberCount | None:
    try:
        stats = client.system_stats()
    except PanelError:
        return None
    by_status = stats.users_by_status
    return SubscriberCount(
        at=clock.now(),
        total=stats.users_total,
        active=by_status[PanelStatus.ACTIVE],
        disabled=by_status[PanelStatus.DISABLED],
        limited=by_status[PanelStatus.LIMITED],
        expired=by_status[PanelStatus.EXPIRED],
        online=stats.online_now,
        source="panel",
    )


def _of_mirror() -> SubscriberCount:
    total, active, disabled, limited, expired, online = sql.rows(
        _COUNT, {"online": clock.now() - ONLINE}
    )[0]
    return SubscriberCount(
        at=clock.now(),
        total=total,
        active=active,
        disabled=disabled,
        limited=limited,
        expired=expired,
        online=online,
        source="mirror",
    )


def is_behind(row: SubscriberCount) -> bool:
    """Whether the panel has another number of users than the last pass left us with."""
    if row.source != "panel":
        return False
    last = MirrorPass.objects.filter(finished_at__isnull=False, error="").order_by("-id").first()
    if last is None:
        return True
    return row.total != _of_mirror().total
