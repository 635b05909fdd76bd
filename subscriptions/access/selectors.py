"""Money to access, as the page shows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, QuerySet

from jobs import sql
from lib import clock
from payments.words import amount_say
from subscriptions.access.gaps import REMEDIES, TITLES, GapKind
from subscriptions.models import AccessCheck, AccessGap, Activation

PAGE_SIZE = 50
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class GapLine:
    """A difference, with what each of the three says. remedy is empty where a person has to look first."""

    id: int
    kind: str
    title: str
    remedy: str
    payment_id: UUID
    plan: str
    amount: str
    subscriber_id: int | None
    username: str
    telegram_id: int | None
    provider: str
    ledger: str
    panel: str
    error: str
    found_at: datetime
    seen_at: datetime
    asked_by: str  # who has pressed Heal; it closes when it was seen to be over
    closed_at: datetime | None
    ending: str


@dataclass(frozen=True, slots=True)
class AccessSummary:
    """The head of the page. Seconds are from paid to served, of the last 24 hours; None: nobody paid."""

    open_by_kind: dict[str, int]
    oldest_at: datetime | None  # of the unserved
    on_the_way: int  # paid, not applied, and no gap: within its first minute
    served: int
    p50_s: float | None
    p95_s: float | None
    checked_at: datetime | None
    compared: int
    unknown: int

    @property
    def unserved(self) -> int:
        """Open gaps without the held ones: what the first page and the alert count, too."""
        return sum(self.open_by_kind.values()) - self.held

    @property
    def held(self) -> int:
        """Who has paid and stays disabled until a person decides."""
        return self.open_by_kind.get(GapKind.HELD, 0)


def gaps_query(*, kind: str = "", is_open: bool = True) -> QuerySet[AccessGap]:
    """Gaps with their payments: open ones oldest first, closed ones newest first."""
    rows = AccessGap.objects.filter(healed_at__isnull=is_open).select_related("payment")
    if kind:
        rows = rows.filter(kind=kind)
    return rows.order_by("found_at", "pk") if is_open else rows.order_by("-healed_at", "-pk")


def gap_lines(gaps: list[AccessGap]) -> list[GapLine]:
    """The gaps as lines of the page. One query for their subscribers."""
    ids = [gap.payment.subscriber_id for gap in gaps if gap.payment.subscriber_id is not None]
    names = dict(sql.rows("SELECT id, username FROM subscriber WHERE id = ANY(%s)", [ids]))
    return [_line(gap, names) for gap in gaps]


def _line(gap: AccessGap, names: dict[Any, Any]) -> GapLine:
    payment, facts = gap.payment, gap.facts
    return GapLine(
        id=gap.pk,
        kind=gap.kind,
        title=TITLES.get(gap.kind, gap.kind),
        remedy=REMEDIES.get(gap.kind, ""),
        payment_id=payment.pk,
        plan=payment.plan_title,
        amount=f"{amount_say(payment.amount)} {payment.currency}",
        subscriber_id=payment.subscriber_id,
        username=names.get(payment.subscriber_id, ""),
        telegram_id=payment.telegram_id,
        provider=facts.get("provider", ""),
        ledger=facts.get("ledger", ""),
        panel=facts.get("panel", ""),
        error=facts.get("error", ""),
        found_at=gap.found_at,
        seen_at=gap.seen_at,
        asked_by=gap.healed_by if gap.healed_at is None else "",
        closed_at=gap.healed_at,
        ending=gap.get_ending_display(),
    )


def access_summary() -> AccessSummary:
    """How it stands. Four queries."""
    open_gaps = AccessGap.objects.filter(healed_at=None)
    counts = open_gaps.values_list("kind").annotate(count=Count("pk"), first=Min("found_at"))
    by_kind, firsts = dict[str, int](), list[datetime]()
    for kind, count, first in counts.order_by("kind"):
        by_kind[kind] = count
        if kind != GapKind.HELD:
            firsts.append(first)
    now = clock.now()
    row = sql.row(
        """SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY spent),
            percentile_cont(0.95) WITHIN GROUP (ORDER BY spent)
        FROM (
            SELECT greatest(extract(epoch FROM a.applied_at - p.paid_at), 0)::float8 AS spent
            FROM subscription_activation a JOIN payment p ON p.id = a.payment_id
            WHERE a.state = 'applied' AND a.applied_at > %s
        ) s""",
        [now - _DAY],
    )
    served, p50_s, p95_s = row or (0, None, None)
    check = AccessCheck.objects.first()
    return AccessSummary(
        open_by_kind=by_kind,
        oldest_at=min(firsts, default=None),
        on_the_way=_on_the_way(),
        served=served,
        p50_s=p50_s,
        p95_s=p95_s,
        checked_at=check.finished_at if check else None,
        compared=check.compared if check else 0,
        unknown=check.provider_unknown + check.panel_unknown if check else 0,
    )


def _on_the_way() -> int:
    waiting = Activation.objects.exclude(state=Activation.State.APPLIED)
    return waiting.exclude(payment__gaps__in=AccessGap.objects.filter(healed_at=None)).count()


def gap_kinds() -> list[tuple[str, str]]:
    """(value, title) of all kinds, for a filter."""
    return [(kind.value, TITLES[kind]) for kind in GapKind]
