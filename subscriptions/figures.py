"""The numbers of the subscriptions on the first page of the console."""

from datetime import timedelta

from django.urls import reverse

from jobs import sql
from lib import clock
from lib.now import Figure, Severity, figure
from subscriptions.access.gaps import GapKind
from subscriptions.activation.rows import PAGE
from subscriptions.models import AccessCheck, AccessGap

OLD = timedelta(minutes=20)  # they are compared every five minutes
DAY = timedelta(hours=24)
MOST = 10_000  # people are counted no further


@figure(order=20, permission="subscriptions.view_accessgap")
def paid_not_served() -> Figure:
    """Who paid and waits; and whether anybody has looked lately. Two queries."""
    gaps = AccessGap.objects.filter(healed_at=None).exclude(kind=GapKind.HELD)
    count = gaps.count()  # of open ones only, on their own index
    check, now = AccessCheck.objects.first(), clock.now()
    looked_at = None if check is None else check.finished_at
    if count:
        return Figure(
            "Paid and not served", f"{count:,}", Severity.CRITICAL, PAGE,
            "provider, ledger and panel differ", "paid_not_served",
        )  # fmt: skip
    if looked_at is None or looked_at < now - OLD:
        when = f"since {looked_at:%d %b %H:%M} UTC" if looked_at else "yet"
        return Figure(
            "Paid and not served", "0?", Severity.WARNING, PAGE,
            f"nobody has compared {when}", "access_check_old",
        )  # fmt: skip
    return Figure("Paid and not served", "0", url=PAGE, hint=f"compared {looked_at:%H:%M} UTC")


@figure(order=30, permission="subscriptions.view_subscriber")
def expiring() -> Figure:
    """Whose access ends within 24 hours. One query on the index of those who are served."""
    now = clock.now()
    found = sql.row(
        """SELECT count(*) FROM (
            SELECT FROM subscriber
            WHERE status IN ('ACTIVE', 'LIMITED') AND missing_since IS NULL
                AND expire_at >= %s AND expire_at < %s LIMIT %s
        ) q""",
        [now, now + DAY, MOST + 1],
    )
    count = int(found[0]) if found else 0
    return Figure(
        "Expiring in 24 h",
        f"{MOST:,}+" if count > MOST else f"{count:,}",
        url=reverse("admin:subscriptions_subscriber_expiring"),
        hint=f"people, until {now + DAY:%a %H:%M} UTC",
    )
