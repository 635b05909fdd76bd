"""Money to access: every few minutes provider, ledger and panel are compared, for all who paid lately."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from jobs.alerts import attention
from jobs.compiled import rows_of
from lib import clock
from subscriptions.access.doubts import doubts_forget
from subscriptions.access.gaps import Found, GapKind, gaps_close, gaps_open
from subscriptions.access.healing import activations_resume, heal_unasked
from subscriptions.access.invoices import provider_scan
from subscriptions.access.parts import Part
from subscriptions.access.scanning import LATELY, ledger_scan, panel_scan
from subscriptions.activation.rows import PAGE

CRITICAL_AFTER = timedelta(minutes=13)  # the whole ladder of an activation
OVERLAP = timedelta(hours=1)

_UNSEEN = "SELECT payment_id, kind FROM access_gap WHERE healed_at IS NULL AND seen_at < %s"
_ESCALATE = """
UPDATE access_gap g SET alerted_at = %s FROM (
    SELECT id FROM access_gap
    WHERE healed_at IS NULL AND alerted_at IS NULL AND kind = %s AND found_at < %s
    ORDER BY payment_id, kind FOR NO KEY UPDATE
) late WHERE g.id = late.id RETURNING g.id
"""
_NOTE = """
INSERT INTO access_check (id, started_at, finished_at, provider_asked, provider_unknown,
    panel_asked, panel_unknown, compared, opened, closed)
VALUES (1, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET started_at = EXCLUDED.started_at,
    finished_at = EXCLUDED.finished_at, provider_asked = EXCLUDED.provider_asked,
    provider_unknown = EXCLUDED.provider_unknown, panel_asked = EXCLUDED.panel_asked,
    panel_unknown = EXCLUDED.panel_unknown, compared = EXCLUDED.compared,
    opened = EXCLUDED.opened, closed = EXCLUDED.closed
RETURNING 1
"""


def access_reconcile() -> dict[str, int]:
    """One comparison: gaps are opened, seen again and closed, and what may be mended is.

    Repeat: an open gap stays one. Costs a few calls to the provider, and one to the panel for each
    subscriber whom the mirror shows otherwise than he paid for: lately, and once an hour at any time.
    """
    started = clock.now()
    last = next((row[0] for row in rows_of("SELECT finished_at FROM access_check", [])), None)
    since = _since(started, last)
    is_wide = last is None or _hour(last) != _hour(started)
    parts = [
        provider_scan(started),
        ledger_scan(started, since),
        panel_scan(started, since, is_wide=is_wide),
    ]
    found = [each for part in parts for each in part.found]
    fresh = gaps_open(found)
    closed = _close(parts, started)
    mended = heal_unasked(found)
    resumed = activations_resume()
    _alert(fresh)
    _escalate()
    _note(started, parts, opened=len(fresh), closed=closed)
    if is_wide:  # last, for there may be very many, and whoever has a gap is told first
        doubts_forget(started)
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


def _close(parts: Sequence[Part], started: datetime) -> int:
    """Close what nobody sees any more, where there was an answer."""
    open_gaps = [(payment_id, kind) for payment_id, kind in rows_of(_UNSEEN, [started])]
    by_kind: dict[GapKind, list[UUID]] = {}
    for part in parts:
        for payment_id, kind in part.over(open_gaps):
            by_kind.setdefault(kind, []).append(payment_id)
    return sum(
        gaps_close(by_kind[kind], kinds=[kind], not_seen_since=started) for kind in sorted(by_kind)
    )


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


def _escalate() -> None:
    """What waits for longer than the whole ladder is critical, once: the panel may just be away."""
    now = clock.now()
    with transaction.atomic():
        late = rows_of(_ESCALATE, [now, GapKind.WAITING.value, now - CRITICAL_AFTER])
        if late:
            attention(
                group="access:waiting",
                title="People paid and still wait for access",
                text=f"{len(late)} for more than {CRITICAL_AFTER.total_seconds() / 60:.0f} minutes",
                severity="critical",
                link=PAGE,
            )


def _note(started: datetime, parts: Sequence[Part], *, opened: int, closed: int) -> None:
    provider, ledger, panel = parts
    compared = provider.asked + ledger.asked + panel.asked
    rows_of(
        _NOTE,
        [
            started, clock.now(), provider.asked, provider.unknown, panel.asked, panel.unknown,
            compared, opened, closed,
        ],
    )  # fmt: skip
