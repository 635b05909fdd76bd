"""Gaps: somebody paid, and provider, ledger and panel do not agree that he is served."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import Case, Value, When

from jobs import sql
from jobs.compiled import rows_of
from lib import clock
from subscriptions.models import AccessGap
from subscriptions.story import EventRow, events_write


class GapKind(StrEnum):
    """What does not agree. The value is stored; TITLES says it for people."""

    LEDGER_BEHIND = "ledger_behind"
    LEDGER_AHEAD = "ledger_ahead"
    NO_ACTIVATION = "no_activation"
    WAITING = "waiting"
    FAILED = "failed"
    HELD = "held"
    SHORT = "short"
    OFF = "off"
    GONE = "gone"


# What only the panel can say.
PANEL_KINDS = (GapKind.SHORT, GapKind.OFF, GapKind.GONE)
TITLES: dict[str, str] = {
    GapKind.LEDGER_BEHIND: "the provider says paid, our ledger does not",
    GapKind.LEDGER_AHEAD: "our ledger says paid, the provider does not",
    GapKind.NO_ACTIVATION: "paid, but nothing was activated",
    GapKind.WAITING: "paid, and still not served",
    GapKind.FAILED: "the activation failed",
    GapKind.HELD: "paid, but a person had switched the access off",
    GapKind.SHORT: "the panel serves for a shorter time than was paid for",
    GapKind.OFF: "the panel does not serve although it is paid",
    GapKind.GONE: "the panel has no such user any more",
}
# What the Heal button does about each; empty: a person has to look first.
REMEDIES: dict[str, str] = {
    GapKind.LEDGER_BEHIND: "Ask the provider and settle",
    GapKind.LEDGER_AHEAD: "",
    GapKind.NO_ACTIVATION: "Activate",
    GapKind.WAITING: "Try now",
    GapKind.FAILED: "Try again",
    GapKind.HELD: "Lift the hold",
    GapKind.SHORT: "Write the paid date again",
    GapKind.OFF: "Switch on again",
    GapKind.GONE: "Create the user again",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A gap as it was seen. facts: {"provider", "ledger", "panel"} as texts, and what else is known."""

    payment_id: UUID
    kind: GapKind
    subscriber_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


_WRITE = """
INSERT INTO access_gap AS g (payment_id, kind, facts, found_at, seen_at, healed_by, ending)
SELECT f.payment_id, f.kind, f.facts, %(now)s, %(now)s, '', ''
FROM jsonb_to_recordset(%(found)s::jsonb) AS f (payment_id uuid, kind text, facts jsonb)
WHERE NOT EXISTS (
    SELECT FROM access_gap d WHERE d.payment_id = f.payment_id AND d.kind = f.kind
        AND d.ending = 'dismissed'
)
ORDER BY f.payment_id, f.kind
ON CONFLICT (payment_id, kind) WHERE healed_at IS NULL
DO UPDATE SET seen_at = EXCLUDED.seen_at, facts = EXCLUDED.facts
RETURNING payment_id, kind, xmax = 0
"""


@transaction.atomic
def gaps_open(found: Sequence[Found]) -> list[Found]:
    """Write what was seen. Returns those that are new; what a person dismissed is not opened again.

    Repeat: an open gap is seen once more. Locks: the gaps, in the order of their payments.
    """
    if not found:
        return []
    by_key = {(str(each.payment_id), each.kind.value): each for each in found}
    rows = sql.rows(
        _WRITE,
        {
            "now": clock.now(),
            "found": orjson.dumps(
                [
                    {"payment_id": each.payment_id, "kind": each.kind, "facts": each.facts}
                    for each in by_key.values()
                ]
            ).decode(),
        },
    )
    fresh = [by_key[str(payment_id), kind] for payment_id, kind, is_new in rows if is_new]
    _tell_stories(fresh, "gap_found")
    return fresh


_OPEN = "SELECT 1 FROM access_gap WHERE payment_id = ANY(%s) AND healed_at IS NULL LIMIT 1"


@transaction.atomic(savepoint=False)
def gaps_close(
    payment_ids: Collection[UUID],
    *,
    kinds: Collection[str] = (),
    not_seen_since: datetime | None = None,
) -> int:
    """Close the open gaps of payments, all or of some kinds. Returns how many there were.

    Whoever has asked for a cure has healed it; else it closed by itself. Locks: the gaps.
    """
    # Nearly nobody has one, and whoever pays comes here twice.
    if not rows_of(_OPEN, [list(payment_ids)]):
        return 0
    rows = AccessGap.objects.select_for_update(no_key=True, of=("self",)).filter(
        payment_id__in=payment_ids, healed_at=None
    )
    if kinds:
        rows = rows.filter(kind__in=kinds)
    if not_seen_since is not None:
        rows = rows.filter(seen_at__lt=not_seen_since)
    closed = list(rows.select_related("payment").order_by("payment_id", "kind"))
    if not closed:
        return 0
    AccessGap.objects.filter(pk__in=[gap.pk for gap in closed]).update(
        healed_at=clock.now(),
        ending=Case(
            When(healed_by="", then=Value(AccessGap.Ending.ITSELF)),
            default=Value(AccessGap.Ending.HEALED),
        ),
    )
    _tell_stories(
        [
            Found(gap.payment_id, GapKind(gap.kind), gap.payment.subscriber_id)
            for gap in closed
            if gap.kind in TITLES
        ],
        "gap_closed",
    )
    return len(closed)


def _tell_stories(found: Sequence[Found], kind: str) -> None:
    events_write(
        EventRow(
            subscriber_id=each.subscriber_id,
            kind=kind,
            source="payment",
            data={"gap": TITLES[each.kind]},
            payment_id=each.payment_id,
        )
        for each in found
        if each.subscriber_id is not None
    )
