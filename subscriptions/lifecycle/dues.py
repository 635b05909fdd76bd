"""Who is to be told now: notices are written by SQL alone, and handed to jobs in packs.

What this costs follows who is in a bracket, not how many subscribers there are: the indexes
subscriber_served and subscriber_expired begin with the date.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from jobs import sql
from jobs.enqueue import enqueue_many
from jobs.models import Priority
from jobs.registry import kind_get
from lib import clock
from subscriptions.lifecycle.stages import BRACKETS, TOLD_WITHIN
from subscriptions.models import Stage

BATCH = 5_000  # notices of one transaction
PACK = 50  # notices of one job: each is a request to the panel
PACKS_AT_ONCE = 100
SEND = "subscriptions.send_notices"

_WRITE = """
WITH batch AS (
    SELECT s.id, s.expire_at, s.telegram_id FROM subscriber s
    WHERE {served} AND s.missing_since IS NULL
        AND s.expire_at > %(from)s AND s.expire_at <= %(to)s
        AND (s.expire_at, s.id) > (%(after_at)s, %(after_id)s)
        AND NOT EXISTS (
            SELECT FROM subscription_notice n
            WHERE n.subscriber_id = s.id AND n.stage = %(stage)s AND n.expire_at = s.expire_at
        )
    ORDER BY s.expire_at, s.id LIMIT %(limit)s
), made AS (
    INSERT INTO subscription_notice (
        subscriber_id, stage, expire_at, state, reason, created_at, decided_at)
    SELECT b.id, %(stage)s, b.expire_at,
        CASE WHEN {is_due} THEN 'due' ELSE 'skipped' END,
        CASE WHEN {is_due} THEN '' ELSE 'no_telegram' END, %(now)s,
        CASE WHEN {is_due} THEN NULL ELSE %(now)s END
    FROM batch b ORDER BY b.expire_at, b.id
    ON CONFLICT DO NOTHING RETURNING state
)
SELECT (SELECT count(*) FROM made WHERE state = 'due'),
    (SELECT count(*) FROM made WHERE state = 'skipped'),
    (SELECT count(*) FROM batch),
    last.expire_at, last.id
FROM (VALUES (1)) one LEFT JOIN LATERAL (
    SELECT b.expire_at, b.id FROM batch b ORDER BY b.expire_at DESC, b.id DESC LIMIT 1
) last ON true
"""
_REMIND = _WRITE.format(
    served="s.status IN ('ACTIVE', 'LIMITED')", is_due="b.telegram_id IS NOT NULL"
)
# Who cannot be told is audited all the same, after a look at the panel: due as well.
_EXPIRE = _WRITE.format(served="s.status = 'EXPIRED'", is_due="true")

_WITHOUT_JOB = """
SELECT n.id FROM subscription_notice n LEFT JOIN jobs_job j ON j.id = n.job_id
WHERE n.state = 'due' AND n.id > %s AND (j.id IS NULL OR j.state = 'dead')
ORDER BY n.id LIMIT %s FOR UPDATE OF n SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Written:
    """How many notices were written: to be told, and skipped at once."""

    due: int = 0
    skipped: int = 0


def reminders_write() -> dict[Stage, Written]:
    """Write a notice for everybody who is in a bracket and has none for it. Repeat-safe.

    Each subscriber is in one bracket at most, so what was missed while nothing ran stays missed.
    """
    now = clock.now()
    return {
        each.stage: _write(_REMIND, each.stage, now + each.until, now + each.within, now)
        for each in BRACKETS
    }


def expiries_write() -> Written:
    """Write a notice for everybody whom the panel has expired lately. Repeat-safe."""
    now = clock.now()
    return _write(_EXPIRE, Stage.EXPIRED, now - TOLD_WITHIN, now, now)


def _write(query: str, stage: Stage, start: datetime, end: datetime, now: datetime) -> Written:
    """All of a stage, batch by batch in the order of the index; a killed run leaves whole batches."""
    due = skipped = 0
    after: tuple[Any, int] = (start - timedelta(days=1), 0)
    while True:
        found = sql.row(
            query,
            {
                "stage": stage.value,
                "from": start,
                "to": end,
                "now": now,
                "after_at": after[0],
                "after_id": after[1],
                "limit": BATCH,
            },
        )
        if found is None:
            return Written(due, skipped)
        due, skipped = due + found[0], skipped + found[1]
        if found[2] < BATCH:
            return Written(due, skipped)
        after = (found[3], found[4])


def packs_enqueue() -> int:
    """Give every due notice that has no living job one, in packs. Returns how many packs.

    Repeat-safe, also side by side: rows that another one is handing out are skipped.
    """
    kind, packs, after = kind_get(SEND), 0, 0
    while True:
        with transaction.atomic(savepoint=False):
            ids = [row[0] for row in sql.rows(_WITHOUT_JOB, [after, PACK * PACKS_AT_ONCE])]
            if not ids:
                return packs
            groups = [ids[at : at + PACK] for at in range(0, len(ids), PACK)]
            made = enqueue_many(
                (kind, {"notice_ids": group, "priority": Priority.NORMAL}) for group in groups
            )
            sql.run(
                """UPDATE subscription_notice n SET job_id = f.job_id
                FROM unnest(%s::bigint[], %s::uuid[]) f (id, job_id) WHERE n.id = f.id""",
                [ids, [job.id for job, group in zip(made, groups, strict=True) for _ in group]],
            )
            packs, after = packs + len(groups), ids[-1]
        if len(ids) < PACK * PACKS_AT_ONCE:
            return packs
