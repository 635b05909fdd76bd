"""The SQL of the Telegram lane: claiming rows of the ledger and writing what became of them.

pending -> sending is committed before the request. So a row that is found `sending` without its sender
may have arrived: it becomes `unknown`, and only a person sends it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db import transaction

from jobs import sql
from lib import clock
from notifications.broadcasts.holding import hold_alone, hold_shared
from notifications.broadcasts.models import Broadcast, Channel, Phase, Status
from notifications.telegram.models import Chat


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send. is_quiet: the person's quiet hours, so it makes no sound."""

    id: int
    telegram_id: int
    language: str
    attempts: int  # with this one
    is_gone: bool  # the person was deleted meanwhile
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed message. A fate of pending gives it back; reason "" then spends no try."""

    broadcast_id: UUID
    id: int
    fate: str
    reason: str = ""
    detail: str = ""
    ref: str | None = None
    wait: timedelta | None = None
    chat: int | None = None  # where the group has moved


# On the index of what is pending; see _TAKE in delivery.py.
_CLAIM = """
WITH taken AS (
    SELECT id FROM broadcast_ledger
    WHERE broadcast_id = %(id)s AND channel BETWEEN 'telegram' AND 'telegram' AND fate = 'pending' {canary}
        AND (next_at IS NULL OR next_at <= %(now)s)
    ORDER BY channel, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE broadcast_ledger l SET fate = 'sending', run_id = %(run)s, at = %(now)s,
        attempts = l.attempts + 1
    FROM taken t WHERE l.id = t.id
    RETURNING l.id, l.telegram_id, l.language, l.attempts, l.recipient_id
)
SELECT c.id, c.telegram_id, c.language, c.attempts, r.id IS NULL, coalesce(inbox_quiet_until(
    %(now)s, r.quiet_from, r.quiet_to, r.time_zone) IS NOT NULL, false)
FROM claimed c LEFT JOIN inbox_recipient r ON r.id = c.recipient_id ORDER BY c.id
"""


def sending_now() -> list[UUID]:
    """The broadcasts that have Telegram messages to send, the longest running first."""
    return list(
        Broadcast.objects.filter(
            status=Status.SENDING,
            phase__in=[Phase.CANARY, Phase.DELIVERING],
            channels__contains=[Channel.TELEGRAM],
        )
        .order_by("started_at", "id")
        .values_list("pk", flat=True)
    )


def rows_claim(
    broadcast_id: UUID, run_id: UUID, limit: int
) -> tuple[Broadcast | None, list[Claimed]]:
    """Claim the next rows of a broadcast, and give the broadcast; nothing if it is not being sent."""
    with transaction.atomic():
        hold_shared(broadcast_id)
        row = Broadcast.objects.filter(pk=broadcast_id, status=Status.SENDING).first()
        if row is None or row.phase not in {Phase.CANARY, Phase.DELIVERING}:
            return None, []
        statement = _CLAIM.format(canary="AND is_canary" if row.phase == Phase.CANARY else "")
        params = {"id": broadcast_id, "run": run_id, "limit": limit, "now": clock.now()}
        return row, [Claimed(*found) for found in sql.rows(statement, params)]


def rows_settle(run_id: UUID, settled: Sequence[Settled]) -> set[int]:
    """Write fates; only rows that this run still holds change. Returns their ids."""
    done: set[int] = set()
    ordered = sorted(settled, key=lambda each: (each.broadcast_id, each.id))
    for broadcast_id, group in groupby(ordered, key=lambda each: each.broadcast_id):
        rows = list(group)
        with transaction.atomic():
            hold_shared(broadcast_id)
            found = sql.row(
                """SELECT broadcast_settle(%s, %s, %s::bigint[], %s::text[], %s::text[], %s::text[],
                    %s::text[], %s::interval[], %s::bigint[], %s)""",
                [
                    broadcast_id, run_id, [each.id for each in rows], [each.fate for each in rows],
                    [each.reason for each in rows], [each.detail[:300] for each in rows],
                    [each.ref for each in rows], [each.wait for each in rows],
                    [each.chat for each in rows], clock.now(),
                ],
            )  # fmt: skip
        done.update(found[0] if found else ())
    return done


def rows_take_over(*, older_than: timedelta = timedelta(0)) -> int:
    """Rows whose sender is gone become `unknown`. Returns how many. Only for whoever runs alone, or
    for rows so old that no request of them can be on its way."""
    count = 0
    lost = "fate = 'sending' AND at <= %s"
    until = clock.now() - older_than
    of = sql.rows(f"SELECT DISTINCT broadcast_id FROM broadcast_ledger WHERE {lost}", [until])
    for (broadcast_id,) in sorted(of):
        with transaction.atomic():
            hold_alone(broadcast_id)
            found = sql.row(
                f"""SELECT broadcast_turn(%s, array_agg(id), 'unknown', 'sender_killed', %s)
                FROM broadcast_ledger WHERE broadcast_id = %s AND {lost}""",
                [broadcast_id, clock.now(), broadcast_id, until],
            )
        count += int(found[0] or 0) if found else 0
    return count


def next_at_of(broadcast_ids: Sequence[UUID]) -> datetime | None:
    """When the next pending row of these may be sent; None if there is none. Those that wait are few."""
    found = sql.row(
        """SELECT min(d.due) FROM unnest(%s::uuid[]) b (id)
        JOIN notification_broadcasts n ON n.id = b.id AND n.status = 'sending'
        CROSS JOIN LATERAL (
            SELECT coalesce(l.next_at, '-infinity'::timestamptz) AS due FROM broadcast_ledger l
            WHERE l.broadcast_id = b.id AND l.channel = 'telegram' AND l.fate = 'pending'
                AND (l.is_canary OR n.phase = 'delivering')
            ORDER BY coalesce(l.next_at, '-infinity'::timestamptz) LIMIT 1
        ) d WHERE d.due > '-infinity'""",
        [list(broadcast_ids)],
    )
    return found[0] if found else None


def chats_learn(reached: Sequence[int], closed: Sequence[tuple[int, str]]) -> None:
    """Keep what the answers tell about chats, for the console: reached again, or closed and why."""
    if reached:
        Chat.objects.filter(pk__in=reached, unreachable_since__isnull=False).update(
            unreachable_since=None, unreachable_reason=None
        )
    if closed:
        Chat.objects.bulk_create((Chat(chat_id=chat) for chat, _ in closed), ignore_conflicts=True)
    for chat, reason in closed:
        Chat.objects.filter(pk=chat, unreachable_since=None).update(
            unreachable_since=clock.now(), unreachable_reason=reason
        )


def chat_moved(chat_id: int, new_chat_id: int) -> None:
    """A group has a new id: whoever writes to it next goes there."""
    Chat.objects.update_or_create(chat_id=chat_id, defaults={"migrated_to": new_chat_id})
