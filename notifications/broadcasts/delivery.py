"""Delivering to inboxes: a batch is one transaction of the inbox and the ledger together, so each person
gets it exactly once whatever is killed, and a cancel that has the broadcast finds no batch under way."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql
from lib import clock
from notifications.broadcasts.holding import hold_shared
from notifications.broadcasts.models import Broadcast, Channel, Phase, Status
from notifications.broadcasts.texts import SOURCE, language_of, text_for
from notifications.inbox.accept import accept
from notifications.inbox.arrays import ints, texts
from notifications.inbox.drafts import LONGEST_S
from notifications.inbox.shapes import Draft, Target

BATCH = 1_000  # people; a cancel waits for one batch at most

# BETWEEN and the order keep it on the index of what is pending: by = and id alone the planner may walk along
# the ids, through all ledgers of the past.
_TAKE = """
SELECT l.id, r.user_id, r.login, l.language FROM (
    SELECT id, recipient_id, language FROM broadcast_ledger
    WHERE broadcast_id = %(id)s AND channel BETWEEN 'inbox' AND 'inbox' AND fate = 'pending' {canary}
    ORDER BY channel, id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
) l LEFT JOIN inbox_recipient r ON r.id = l.recipient_id
"""
_SETTLE = """
SELECT cardinality(broadcast_settle(%s, NULL, %s::bigint[], %s::text[], %s::text[],
    array_fill(''::text, ARRAY[%s]), %s::text[], array_fill(NULL::interval, ARRAY[%s]),
    array_fill(NULL::bigint, ARRAY[%s]), %s))
"""


def batch_deliver(broadcast_id: UUID, *, batch: int = BATCH) -> int:
    """Deliver to the next people. Returns to how many; 0: nobody waits, or it is not being sent.

    Repeat-safe and safe beside others: each takes rows that nobody else has.
    """
    with transaction.atomic():
        hold_shared(broadcast_id)
        row = Broadcast.objects.filter(pk=broadcast_id, status=Status.SENDING).first()
        if row is None or row.phase not in {Phase.CANARY, Phase.DELIVERING}:
            return 0
        canary = "AND is_canary" if row.phase == Phase.CANARY else ""
        size = min(batch, settings.INBOX_MAX_TARGETS)
        taken = sql.rows(_TAKE.format(canary=canary), {"id": broadcast_id, "batch": size})
        if taken:
            _deliver(row, taken)
    return len(taken)


def draft_of(row: Broadcast, language: str, targets: Sequence[Target]) -> Draft:
    """The notification for people of one language. Its data name the broadcast."""
    text = text_for(row, Channel.INBOX, language)
    return Draft(
        targets=list(targets),
        message=text.text,
        source=SOURCE,
        ttl_s=int(settings.BROADCASTS_INBOX_TTL.total_seconds()),
        priority=3,  # whatever is urgent goes first
        # Who gets it in Telegram anyway is not told there once more because the inbox stays unread: by
        # then it has expired.
        fallback_after_s=LONGEST_S if Channel.TELEGRAM in row.channels else None,
        data={**(row.data or {}), "broadcast_id": str(row.pk), "title": row.title},
        sender_id=row.author_id,
        correlation_id=f"broadcast-{row.pk}",
    )


def _deliver(row: Broadcast, taken: Sequence[tuple[int, int | None, str | None, str]]) -> None:
    """Hand them to the inbox and write what became of each."""
    people: dict[str, dict[Target, int]] = {}
    rows: list[int] = []
    fates: list[str] = []
    reasons: list[str] = []
    refs: list[str | None] = []

    def note(row_id: int, fate: str, reason: str, ref: str | None) -> None:
        rows.append(row_id)
        fates.append(fate)
        reasons.append(reason)
        refs.append(ref)

    for row_id, user_id, login, language in taken:
        if user_id is None or login is None:
            note(row_id, "failed", "gone", None)
        else:
            people.setdefault(language_of(row, language), {})[user_id, login] = row_id
    drafts = [draft_of(row, language, list(targets)) for language, targets in people.items()]
    for targets, accepted in zip(people.values(), accept(drafts), strict=True):
        for (target, ref), state in zip(accepted.draft.ids.items(), accepted.states, strict=True):
            if state == "muted":
                note(targets[target], "skipped", "muted", str(ref))
            else:
                note(targets[target], "sent", "deferred" if state == "deferred" else "", str(ref))
    size = len(rows)
    sql.row(
        _SETTLE,
        [
            row.pk,
            ints(rows),
            texts(fates),
            texts(reasons),
            size,
            texts(refs),
            size,
            size,
            clock.now(),
        ],
    )
