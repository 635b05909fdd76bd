"""Money to access: every few minutes provider, ledger and panel are compared, for all who paid lately."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from jobs.alerts import attention
from lib import clock
from subscriptions.access.gaps import Found, GapKind, gaps_close, gaps_open
from subscriptions.access.healing import activations_resume, heal_unasked
from subscriptions.access.scanning import LATELY, Part, ledger_scan, panel_scan, provider_scan
from subscriptions.activation.rows import PAGE
from subscriptions.models import AccessCheck, AccessGap

CRITICAL_AFTER = timedelta(minutes=13)  # the whole ladder of an activation
OVERLAP = timedelta(hours=1)


def access_reconcile() -> dict[str, int]:
    """One comparison: gaps are opened, seen again and closed, and what may be mended is.

    Repeat: an open gap stays one. Costs a few calls to the provider, and one to the panel for each
    subscriber whom the mirror shows otherwise than he paid for: lately, and once an hour at any time.
    """
    started = clock.now()
    last = AccessCheck.objects.values_list("finished_at", flat=True).first()
    since = _since(started, last)
    is_wide = last is None or _hour(last) != _hour(started)
    parts = [
        provider_scan(started),
        ledger_scan(started, since),
        panel_scan(started, since, is_wide=is_wide),
    ]
    fresh, closed = list[Found](), 0
    for part in parts:
        fresh += gaps_open(part.found)
        closed += _close(part, started)
    mended = heal_unasked([each for part in parts for each in part.found])
    resumed = activations_resume()
    _alert(fresh)
    _escalate()
    _note(started, parts, opened=len(fresh), closed=closed)
    return {
        "opened": len(fresh),
        "closed": closed,
        "mended": mended,
        "resumed": resumed,
        "unknown": sum(part.unknown for part in parts),
    }


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _since(now: datetime, last: datetime | None) -> datetime:
    """From when on payments are looked at: a pause of ours is made up for."""
    lately = now - LATELY
    return lately if last is None else min(lately, last - OVERLAP)


def _close(part: Part, started: datetime) -> int:
    """Close what nobody sees any more, where there was an answer."""
    still = {(each.payment_id, each.kind) for each in part.found}
    open_gaps = AccessGap.objects.filter(
        healed_at=None, kind__in=part.kinds, payment_id__in=part.sure, seen_at__lt=started
    ).values_list("payment_id", "kind")
    closed = 0
    by_kind: dict[str, list[UUID]] = {}
    for payment_id, kind in open_gaps:
        if (payment_id, GapKind(kind)) not in still:
            by_kind.setdefault(kind, []).append(payment_id)
    for kind in sorted(by_kind):
        closed += gaps_close(by_kind[kind], kinds=[kind], not_seen_since=started)
    return closed


def _alert(fresh: Sequence[Found]) -> None:
    """One message for all that is new and that nobody has told of yet."""
    if not fresh:
        return
    serious = [each for each in fresh if each.kind != GapKind.HELD]
    if serious:
        attention(
            group="access:gaps",
            title="Somebody paid and is not served as he paid",
            text=f"{len(serious)} new: {', '.join(sorted({each.kind.value for each in serious}))}",
            severity="critical",
            link=PAGE,
        )


@transaction.atomic
def _escalate() -> None:
    """What waits for longer than the whole ladder is critical, once: the panel may just be away."""
    late = AccessGap.objects.select_for_update(no_key=True).filter(
        healed_at=None,
        alerted_at=None,
        kind=GapKind.WAITING,
        found_at__lt=clock.now() - CRITICAL_AFTER,
    )
    ids = [gap.pk for gap in late.order_by("payment_id", "kind")]
    if not ids:
        return
    AccessGap.objects.filter(pk__in=ids).update(alerted_at=clock.now())
    attention(
        group="access:waiting",
        title="People paid and still wait for access",
        text=f"{len(ids)} for more than {CRITICAL_AFTER.total_seconds() / 60:.0f} minutes",
        severity="critical",
        link=PAGE,
    )


def _note(started: datetime, parts: Sequence[Part], *, opened: int, closed: int) -> None:
    provider, ledger, panel = parts
    AccessCheck.objects.update_or_create(
        id=1,
        defaults={
            "started_at": started,
            "finished_at": clock.now(),
            "provider_asked": provider.asked,
            "provider_unknown": provider.unknown,
            "panel_asked": panel.asked,
            "panel_unknown": panel.unknown,
            "compared": provider.asked + ledger.asked + panel.asked,
            "opened": opened,
            "closed": closed,
        },
    )
