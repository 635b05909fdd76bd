"""Comparing what ledger and panel say of those who paid lately. Each part stands for itself: an answer
that is none is counted, and neither opens nor closes a gap. The provider's part: invoices.py."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from jobs.compiled import Compiled, Param, rows_of
from payments.models import State as PaymentState
from subscriptions.access.comparing import missing_found, seen_found, waiting_found
from subscriptions.access.gaps import PANEL_KINDS, Found, GapKind
from subscriptions.access.parts import LATE, Part, check
from subscriptions.among import Among
from subscriptions.models import AccessDoubt, AccessGap, Activation, PanelStatus
from subscriptions.panel import door
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelError, PanelMissing, PanelWaits

LATELY = timedelta(hours=26)  # what was completed or applied since then is looked at each time
PANEL_MOST = 300  # users of one run with a gap, and without, that are asked for one by one
VISIT = 10  # users that are asked for in one turn
PACK = 1_000
WAIT_KINDS = (GapKind.NO_ACTIVATION, GapKind.WAITING, GapKind.FAILED, GapKind.HELD)

_ORPHANS = """
SELECT p.id, p.subscriber_id FROM payment p
WHERE p.state = 'completed' AND p.completed_at > %s AND p.completed_at < %s
    AND NOT EXISTS (SELECT FROM subscription_activation a WHERE a.payment_id = p.id)
ORDER BY p.completed_at LIMIT %s
"""
# Those first that were looked at longest ago: a thousand that cannot be healed hide nobody.
_KNOWN = """
SELECT payment_id FROM access_gap WHERE healed_at IS NULL AND kind = ANY(%s::text[])
ORDER BY seen_at, id LIMIT %s
"""


def _unapplied() -> QuerySet[Activation]:
    return (
        Activation.objects.exclude(state=Activation.State.APPLIED)
        .filter(created_at__lt=Param("before"), pk__gt=Param("after"))
        .exclude(payment__state=PaymentState.REFUNDED)
        .select_related("payment", "subscriber")
        .order_by("pk")[:PACK]
    )


def _applied() -> QuerySet[Activation]:
    return (
        Activation.objects.filter(state=Activation.State.APPLIED)
        .exclude(payment__state=PaymentState.REFUNDED)
        .select_related("payment", "subscriber")
        .order_by("pk")
    )


def _untold() -> QuerySet[Activation]:
    gaps = AccessGap.objects.filter(kind__in=PANEL_KINDS, payment_id=OuterRef("payment_id"))
    told = gaps.filter(Q(healed_at=None) | Q(ending=AccessGap.Ending.DISMISSED))
    return _applied().filter(target_expire_at__gt=Param("now")).exclude(Exists(told))


_IS_SHORT = Q(subscriber__expire_at__lt=F("target_expire_at"))
_LOOKS_WRONG = (
    _IS_SHORT
    | Q(subscriber__status__in=[PanelStatus.DISABLED, PanelStatus.EXPIRED])
    | Q(subscriber__missing_since__isnull=False)
)
_WAITING = Compiled(_unapplied)
_WITH_GAP = Compiled(lambda: _applied().filter(Among("payment_id", "ids")))


# Two questions, for one with OR would look at all that was ever applied.
@cache
def _doubtful_lately(most: int) -> Compiled[Activation]:
    """By the index of applied_at: sorted by their keys, all that was ever applied would be walked."""
    lately = _untold().filter(_LOOKS_WRONG, applied_at__gt=Param("since"))
    return Compiled(lambda: lately.order_by("applied_at", "pk")[:most])


@cache
def _short(most: int) -> Compiled[Activation]:
    doubt = Exists(AccessDoubt.objects.filter(subscriber_id=OuterRef("subscriber_id")))
    return Compiled(lambda: _untold().filter(_IS_SHORT, doubt)[:most])


def ledger_scan(now: datetime, since: datetime) -> Part:
    """Ledger against activations: what was paid and is not activated, or not yet."""
    part = Part(WAIT_KINDS, sure=None)  # our own rows are always an answer
    part.found += [
        Found(
            payment_id,
            GapKind.NO_ACTIVATION,
            subscriber_id,
            {"provider": "paid", "ledger": "completed, not activated", "panel": "not asked"},
        )
        for payment_id, subscriber_id in rows_of(_ORPHANS, [since, now - LATE, PACK])
    ]
    part.found += [waiting_found(activation) for activation in _late(now)]
    part.asked = len(part.found)
    return part


def _late(now: datetime) -> Iterator[Activation]:
    after = 0
    while True:
        pack = _WAITING.all(before=now - LATE, after=after)
        yield from pack
        if len(pack) < PACK:
            return
        after = pack[-1].pk
        check()


def panel_scan(now: datetime, since: datetime, *, is_wide: bool = False) -> Part:
    """Activations against the panel. The mirror says whom to ask about, the panel what is so.

    is_wide: also those who paid long ago and lost days since, as when a panel comes back from a backup:
    whose end was moved towards now (AccessDoubt), for to look at all who ever paid would take seconds.
    """
    part = Part(PANEL_KINDS)
    if not door.is_on():
        return part
    asked = [
        (activation, activation.subscriber.panel_id)
        for activation in _doubtful(now, since, is_wide=is_wide)
        if activation.subscriber is not None and activation.subscriber.panel_id is not None
    ]
    part.asked = len(asked)
    client = door.panel_background()
    for start in range(0, len(asked), VISIT):
        some = asked[start : start + VISIT]
        try:
            with client.visit(len(some)):
                for activation, panel_id in some:
                    check()
                    _look(client, activation, panel_id, part)
        except PanelWaits:
            part.unknown += len(some)
    return part


def _look(client: PanelClient, activation: Activation, panel_id: int, part: Part) -> None:
    try:
        user = client.user(panel_id)
    except PanelMissing:
        found = missing_found(activation)
    except PanelError:
        part.unknown += 1
        return
    else:
        found = seen_found(activation, user)
    assert part.sure is not None
    part.sure.add(activation.payment_id)
    if found is not None:
        part.found.append(found)


def _doubtful(now: datetime, since: datetime, *, is_wide: bool) -> list[Activation]:
    """Applied lately and not served as far as the mirror knows, or with an open gap; oldest first."""
    known = [row[0] for row in rows_of(_KNOWN, [list(PANEL_KINDS), PANEL_MOST])]
    groups: list[Sequence[Activation]] = [_WITH_GAP.all(ids=known)] if known else []
    groups.append(_doubtful_lately(PANEL_MOST).all(now=now, since=since))
    if is_wide:
        groups.append(_short(PANEL_MOST).all(now=now))
    return list({each.pk: each for group in groups for each in group}.values())
