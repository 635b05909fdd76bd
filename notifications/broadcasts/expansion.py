"""Expansion: from an audience to a ledger, in batches of SQL. The memory it takes does not grow.

Each batch is one transaction that writes rows, counts them, and moves `expanded_to` up to the last person
in it. So a killed worker leaves whole batches, and the next one goes on behind them.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from jobs import sql
from lib import clock
from notifications.broadcasts.audiences.registry import audience_clause, audience_unmatched
from notifications.broadcasts.errors import AudienceInvalid
from notifications.broadcasts.holding import broadcast_hold, hold_shared
from notifications.broadcasts.models import Broadcast, Phase, Status
from notifications.broadcasts.stepping import broadcast_end, phase_enter
from notifications.broadcasts.texts import SOURCE

logger = logging.getLogger(__name__)

BATCH = 10_000  # people

# A chat that two people share (two logins of one person) gets the message once; by the one of them who has
# not muted it.
_EXPAND = """
WITH people AS MATERIALIZED (
    SELECT r.id, r.telegram_id, r.language, %(source)s = ANY (r.muted_sources) AS is_muted,
        row_number() OVER (
            PARTITION BY r.telegram_id, %(source)s = ANY (r.muted_sources) ORDER BY r.id
        ) > 1 AS is_second
    FROM (
        SELECT r.* FROM inbox_recipient r
        WHERE r.id > %(after)s AND ({clause}) ORDER BY r.id LIMIT %(batch)s
    ) r
), made AS (
    INSERT INTO broadcast_ledger (
        broadcast_id, recipient_id, telegram_id, channel, language, fate, reason, at
    )
    SELECT %(id)s, p.id, w.telegram_id, w.channel, p.language,
        CASE WHEN w.reason = '' THEN 'pending' ELSE 'skipped' END, w.reason,
        CASE WHEN w.reason <> '' THEN %(now)s END
    FROM people p CROSS JOIN LATERAL (
        SELECT 'inbox' AS channel, NULL::bigint AS telegram_id,
            CASE WHEN p.is_muted THEN 'muted' ELSE '' END AS reason
        UNION ALL
        SELECT 'telegram', p.telegram_id, CASE
            WHEN p.telegram_id IS NULL THEN 'no_telegram'
            WHEN p.is_muted THEN 'muted'
            WHEN p.is_second OR EXISTS (
                SELECT FROM broadcast_ledger l WHERE l.broadcast_id = %(id)s
                    AND l.channel = 'telegram' AND l.telegram_id = p.telegram_id
                    AND l.reason <> 'muted'
            ) THEN 'duplicate_chat'
            ELSE '' END
    ) w
    WHERE w.channel = ANY (%(channels)s)
    ORDER BY w.channel, p.id
    ON CONFLICT (broadcast_id, channel, recipient_id) DO NOTHING
    RETURNING id, channel, fate, reason
), counts AS (
    SELECT channel, fate, reason, count(*) AS n FROM made GROUP BY 1, 2, 3
), counted AS (
    SELECT broadcast_count(%(id)s, array_agg(channel::text), array_agg(fate::text),
        array_agg(reason::text), array_agg(n), %(now)s) FROM counts
)
SELECT (SELECT max(id) FROM people), (SELECT count(*) FROM people), (SELECT min(id) FROM made),
    (SELECT count(*) FROM counted)
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch did. is_last: nobody is left, or the broadcast is not being expanded any more."""

    people: int
    is_last: bool


def batch_expand(broadcast_id: UUID, *, batch: int = BATCH) -> Batch:
    """Write the next people of the audience into the ledger. After the last one the next phase begins.

    Repeat-safe and safe beside others: the row of the broadcast is held meanwhile. An audience that
    cannot be read any more (its list was deleted) ends the broadcast as failed.
    """
    with transaction.atomic():
        hold_shared(broadcast_id)
        row = (
            Broadcast.objects.select_for_update(no_key=True)
            .filter(pk=broadcast_id, status=Status.SENDING, phase=Phase.EXPANDING)
            .first()
        )
        if row is None:
            return Batch(0, is_last=True)
        try:
            people = _write(row, batch)
        except AudienceInvalid as exc:
            error = exc.message
        else:
            if people == batch:
                return Batch(people, is_last=False)
            error = ""
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)
        if row.status == Status.SENDING and row.phase == Phase.EXPANDING:
            if error:
                broadcast_end(row, Status.FAILED, error)
            else:
                row.unmatched = audience_unmatched(row.audience)
                row.save(update_fields=["unmatched"])
                phase_enter(row)
    return Batch(people if not error else 0, is_last=True)


def _write(row: Broadcast, batch: int) -> int:
    clause = audience_clause(row.audience)
    # The walk along the ids must not give way to a sort of everybody, batch after batch.
    sql.run("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    found = sql.row(
        _EXPAND.format(clause=clause.sql),
        {
            **clause.params, "id": row.pk, "after": row.expanded_to, "batch": batch,
            "channels": row.channels, "source": SOURCE, "now": clock.now(),
        },
    )  # fmt: skip
    sql.run("SET LOCAL enable_seqscan = DEFAULT; SET LOCAL enable_bitmapscan = DEFAULT")
    last, people, first, _ = found or (None, 0, None, 0)
    if last is not None:
        Broadcast.objects.filter(pk=row.pk).update(
            expanded_to=last, ledger_from=row.ledger_from or first or 0
        )
    return int(people)
