"""The auditor: proves that the numbers of a broadcast are those of its ledger, and finds what was left.

Everything it looks for cannot happen as long as the code is right; a restored backup or a hand in the
tables can bring it about all the same.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from jobs import sql
from jobs.alerts import attention
from jobs.registry import kind_get
from lib import clock
from notifications.broadcasts.control import CLOSE
from notifications.broadcasts.holding import broadcast_hold
from notifications.broadcasts.models import Broadcast, Phase, Status
from notifications.broadcasts.recalling import RECALL
from notifications.broadcasts.starting import lanes_enqueue
from notifications.broadcasts.stepping import broadcast_step
from notifications.broadcasts.telegram_rows import rows_take_over

logger = logging.getLogger(__name__)

LATELY = timedelta(minutes=15)  # what has ended or was paused since is looked at once more
ON_ITS_WAY = timedelta(minutes=2)  # no request of ours takes longer

# One statement sees one moment, and what changes together is committed together: so batches need not stop.
_DIFFERENCES = """
WITH ledger AS (
    SELECT channel, CASE WHEN fate = 'sending' THEN 'pending' ELSE fate END AS fate,
        CASE WHEN fate IN ('pending', 'sending') THEN '' ELSE reason END AS reason, count(*) AS n
    FROM broadcast_ledger WHERE broadcast_id = %(id)s GROUP BY 1, 2, 3
), tally AS (
    SELECT channel, fate, reason, count AS n FROM broadcast_tally
    WHERE broadcast_id = %(id)s AND count <> 0
)
SELECT coalesce(l.channel, t.channel), coalesce(l.fate, t.fate), coalesce(l.reason, t.reason),
    coalesce(l.n, 0) - coalesce(t.n, 0)
FROM ledger l FULL JOIN tally t USING (channel, fate, reason) WHERE l.n IS DISTINCT FROM t.n
"""
_SUMS = """
SELECT b.total = s.total AND b.sent = s.sent AND b.failed = s.failed AND b.skipped = s.skipped
    AND b.unknown = s.unknown
FROM notification_broadcasts b, (
    SELECT coalesce(sum(count), 0) AS total,
        coalesce(sum(count) FILTER (WHERE fate = 'sent'), 0) AS sent,
        coalesce(sum(count) FILTER (WHERE fate = 'failed'), 0) AS failed,
        coalesce(sum(count) FILTER (WHERE fate = 'skipped'), 0) AS skipped,
        coalesce(sum(count) FILTER (WHERE fate = 'unknown'), 0) AS unknown
    FROM broadcast_tally WHERE broadcast_id = %(id)s
) s WHERE b.id = %(id)s
"""
_REPAIR = """
WITH gone AS (DELETE FROM broadcast_tally WHERE broadcast_id = %(id)s), ledger AS (
    SELECT channel, CASE WHEN fate = 'sending' THEN 'pending' ELSE fate END AS fate,
        CASE WHEN fate IN ('pending', 'sending') THEN '' ELSE reason END AS reason, count(*) AS n
    FROM broadcast_ledger WHERE broadcast_id = %(id)s GROUP BY 1, 2, 3
)
UPDATE notification_broadcasts b SET total = s.total, sent = s.sent, failed = s.failed,
    skipped = s.skipped, unknown = s.unknown
FROM (
    SELECT coalesce(sum(n), 0) AS total,
        coalesce(sum(n) FILTER (WHERE fate = 'sent'), 0) AS sent,
        coalesce(sum(n) FILTER (WHERE fate = 'failed'), 0) AS failed,
        coalesce(sum(n) FILTER (WHERE fate = 'skipped'), 0) AS skipped,
        coalesce(sum(n) FILTER (WHERE fate = 'unknown'), 0) AS unknown
    FROM ledger
) s WHERE b.id = %(id)s
"""
_RETALLY = """
INSERT INTO broadcast_tally (broadcast_id, channel, fate, reason, count)
SELECT %(id)s, channel, CASE WHEN fate = 'sending' THEN 'pending' ELSE fate END,
    CASE WHEN fate IN ('pending', 'sending') THEN '' ELSE reason END, count(*)
FROM broadcast_ledger WHERE broadcast_id = %(id)s GROUP BY 1, 2, 3, 4
"""


@dataclass(slots=True)
class Audit:
    """What one audit found. repaired: broadcasts whose numbers were wrong. requeued: ended ones that had
    people without a fate. lost: messages whose sender was gone."""

    looked_at: int = 0
    repaired: int = 0
    requeued: int = 0
    lost: int = 0


def ledgers_audit() -> Audit:
    """Look at what is being sent, was paused or has ended lately. Repeat-safe; changes only what is wrong."""
    done = Audit(lost=rows_take_over(older_than=ON_ITS_WAY))
    # What rests was looked at when it came to rest: a large ledger is not counted for ever.
    active = Q(status=Status.SENDING) | Q(
        status__in=[Status.PAUSED, Status.SENT, Status.FAILED, Status.CANCELLED],
        updated_at__gte=clock.now() - LATELY,
        started_at__isnull=False,
    )
    _recalls_go_on()
    kept = Broadcast.objects.filter(active, ledger_forgotten_at=None)
    for broadcast_id in kept.order_by("id").values_list("pk", flat=True):
        done.looked_at += 1
        done.repaired += _repair(broadcast_id)
        done.requeued += _requeue(broadcast_id)
        broadcast_step(broadcast_id)
    return done


def _recalls_go_on() -> None:
    """A recall that runs and has no job (it died) gets one; of one that has, nothing changes."""
    running = Broadcast.objects.filter(recall__state="running")
    for broadcast_id in running.order_by("id").values_list("pk", flat=True):
        kind_get(RECALL).enqueue(broadcast_id=str(broadcast_id), unique=(RECALL, broadcast_id))


def differences(broadcast_id: UUID) -> list[tuple[str, str, str, int]]:
    """Where the tally is not the ledger: (channel, fate, reason, how many more the ledger has)."""
    return [
        (str(c), str(f), str(r), int(n))
        for c, f, r, n in sql.rows(_DIFFERENCES, {"id": broadcast_id})
    ]


def adds_up(broadcast_id: UUID) -> bool:
    """Whether ledger, tally and counters say the same. Two queries, one of them over the whole ledger."""
    found = sql.row(_SUMS, {"id": broadcast_id})
    return bool(found and found[0]) and not differences(broadcast_id)


def _repair(broadcast_id: UUID) -> bool:
    if adds_up(broadcast_id):
        return False
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)  # nobody counts meanwhile
        if adds_up(broadcast_id):  # the two queries had seen two moments
            return False
        found = differences(broadcast_id)
        sql.run(_REPAIR, {"id": broadcast_id})
        sql.run(_RETALLY, {"id": broadcast_id})
        text = (
            f"{row.title}: the ledger differs from the numbers by {found or 'the counters alone'}"
        )
        attention(
            group="broadcasts.audit",
            title="The numbers of a broadcast were wrong, and were counted anew",
            text=text[:500],
            link=f"/admin/broadcasts/broadcast/{broadcast_id}/change/",
        )
    logger.error("broadcast %s did not add up: %s", broadcast_id, found)
    return True


def _requeue(broadcast_id: UUID) -> bool:
    """People without a fate in a broadcast that has ended: it goes on, or skips them if it was cancelled."""
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)
        if not row.open or row.status not in {Status.SENT, Status.FAILED, Status.CANCELLED}:
            return False
        if row.status == Status.CANCELLED:
            kind_get(CLOSE).enqueue(broadcast_id=str(row.pk), unique=(CLOSE, row.pk))
            return False  # its job may simply be at it
        row.status, row.phase, row.finished_at = Status.SENDING, Phase.DELIVERING, None
        row.save(update_fields=["status", "phase", "finished_at"])
        lanes_enqueue(row.pk, row.phase, row.channels)
    logger.error("broadcast %s had ended with people who had no fate: it goes on", broadcast_id)
    return True
