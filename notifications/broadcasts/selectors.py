"""Reading broadcasts. Numbers come from the counters and the tally; only pages read the ledger."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from jobs import sql
from lib import clock
from notifications.broadcasts.audiences.registry import audience_describe
from notifications.broadcasts.errors import BroadcastUnknown
from notifications.broadcasts.models import Broadcast, Channel, Fate, Status, Tally
from notifications.broadcasts.reasons import reason_text
from notifications.telegram.lane_state import lane_obstacles

_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_STALE = timedelta(seconds=15)  # a rate that nobody has measured for so long is none


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some did not get it: on a channel, with a fate; `text` is for people."""

    channel: str
    fate: str
    reason: str
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """How far a broadcast is. rate_per_s: fates per second; eta_s: None if nobody can tell.

    channels: {"inbox": {"total", "pending", "sent", "failed", "skipped", "unknown"}}. actions: names of
    services that make sense now, such as "pause": the door still asks who may.
    """

    id: UUID
    title: str
    status: str
    phase: str
    total: int
    pending: int
    sent: int
    failed: int
    skipped: int
    unknown: int
    unmatched: int
    rate_per_s: float
    eta_s: float | None
    scheduled_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    paused_reason: str
    error: str
    channels: dict[str, dict[str, int]]
    reasons: list[Reason]
    actions: list[str] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.total - self.pending


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One recipient on one channel, with the words for its reason. login "" and user_id None: gone."""

    id: int
    channel: str
    recipient_id: int
    user_id: int | None
    login: str
    telegram_id: int | None
    language: str
    fate: str
    reason: str
    text: str
    detail: str
    attempts: int
    message_ref: str | None
    recall: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Some entries, and the id to ask for the next ones (None: there are no more)."""

    entries: list[LedgerEntry]
    next_after: int | None


def broadcast_get(broadcast_id: UUID) -> Broadcast:
    """The broadcast. Raises BroadcastUnknown."""
    row = Broadcast.objects.filter(pk=broadcast_id).first()
    if row is None:
        raise BroadcastUnknown(f"there is no broadcast {broadcast_id}")
    return row


def broadcasts() -> QuerySet[Broadcast]:
    """All of them, the newest first."""
    return Broadcast.objects.order_by("-id")


def progress_of(broadcast_id: UUID) -> Numbers:
    """How far it is. Two queries. Raises BroadcastUnknown."""
    row = broadcast_get(broadcast_id)
    channels = {
        name: dict.fromkeys(("total", "pending", "sent", "failed", "skipped", "unknown"), 0)
        for name in row.channels
    }
    reasons = []
    tally = Tally.objects.filter(broadcast_id=broadcast_id, count__gt=0).order_by(
        "-count", "reason"
    )
    for each in tally:
        of = channels.setdefault(each.channel, {})
        of[each.fate] = of.get(each.fate, 0) + each.count
        of["total"] = of.get("total", 0) + each.count
        if each.reason:
            reasons.append(_reason(each))
    rate, eta_s = _pace(row)
    return Numbers(
        id=row.pk, title=row.title, status=row.status, phase=row.phase, total=row.total,
        pending=row.open, sent=row.sent, failed=row.failed, skipped=row.skipped, unknown=row.unknown,
        unmatched=row.unmatched, rate_per_s=rate, eta_s=eta_s, scheduled_at=row.scheduled_at,
        started_at=row.started_at, finished_at=row.finished_at, paused_reason=row.paused_reason,
        error=row.error, channels=channels, reasons=reasons, actions=actions_of(row),
    )  # fmt: skip


def actions_of(row: Broadcast) -> list[str]:
    """What can be done with it now. No query."""
    acts = {
        Status.DRAFT: ["edit", "schedule", "send_now", "test_send", "dry_run", "cancel"],
        Status.SCHEDULED: ["edit", "schedule", "send_now", "test_send", "dry_run", "cancel"],
        Status.SENDING: ["pause", "cancel"],
        Status.PAUSED: ["edit", "resume", "cancel"],
        Status.SENT: [],
        Status.FAILED: [],
        Status.CANCELLED: [],
    }[Status(row.status)]
    found = list(acts)
    if row.ledger_forgotten_at is not None:
        return [*found, "clone"]
    if row.status in {Status.SENT, Status.FAILED, Status.PAUSED} and (
        row.failed or row.unknown or row.skipped
    ):
        found.append("resend_missing")
    if row.sent and row.status != Status.SENDING and (row.recall or {}).get("state") != "running":
        found.append("recall")
    return [*found, "clone"]


def reasons_of(broadcast_id: UUID) -> list[Reason]:
    """Why some did not get it, the most frequent first. One query on the tally."""
    return [
        _reason(each)
        for each in Tally.objects.filter(broadcast_id=broadcast_id, count__gt=0)
        .exclude(reason="")
        .order_by("-count", "reason")
    ]


def obstacles_of(broadcast_id: UUID) -> list[str]:
    """What keeps it from going on, in sentences: the bot is paused, switched off, its breaker is open.
    Some five small queries, and one if nothing of it waits for Telegram. Raises BroadcastUnknown."""
    row = broadcast_get(broadcast_id)
    waits = row.status == Status.SENDING and Tally.objects.filter(
        broadcast_id=row.pk, channel=Channel.TELEGRAM, fate=Fate.PENDING, count__gt=0
    )
    return [each.text for each in lane_obstacles()] if waits else []


_PAGE = """
SELECT l.id, l.channel, l.recipient_id, r.user_id, coalesce(r.login, ''),
    coalesce(l.telegram_id, r.telegram_id), l.language, l.fate, l.reason, l.detail, l.attempts,
    l.message_ref, l.recall, l.at
FROM broadcast_ledger l LEFT JOIN inbox_recipient r ON r.id = l.recipient_id
WHERE l.broadcast_id = %(id)s AND l.id > greatest(%(after)s, (
        SELECT ledger_from - 1 FROM notification_broadcasts WHERE id = %(id)s))
    AND (%(channel)s = '' OR l.channel = %(channel)s) {more}
ORDER BY l.id LIMIT %(most)s
"""


def ledger_page(
    broadcast_id: UUID,
    *,
    channel: str = "",
    fates: Sequence[str] = (),
    reason: str = "",
    search: str = "",
    after: int = 0,
    limit: int = 50,
) -> LedgerPage:
    """Entries of the ledger in the order of their ids, `after` one of them. One query.

    search: a user id, a Telegram id, or the beginning of a login.
    """
    more, params = [], {"id": broadcast_id, "after": after, "channel": channel, "most": limit + 1}
    if fates:
        more.append("AND l.fate = ANY (%(fates)s)")
        params["fates"] = list(fates)
    if reason:
        more.append(
            "AND l.reason = %(reason)s AND l.fate IN ('failed', 'skipped', 'unknown', 'sent')"
        )
        params["reason"] = reason
    if search:
        more.append(_search(search.strip(), params))
    found = sql.rows(_PAGE.format(more=" ".join(more)), params)
    entries = [_entry(*row) for row in found[:limit]]
    return LedgerPage(entries, entries[-1].id if len(found) > limit else None)


def _entry(*row: Any) -> LedgerEntry:
    names = [each.name for each in fields(LedgerEntry) if each.name != "text"]
    found = dict(zip(names, row, strict=True))
    return LedgerEntry(**found, text=reason_text(found["reason"]))


def _search(text: str, params: dict[str, Any]) -> str:
    params["text"] = text
    if _NUMBER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        params["number"] = int(text)
        return """AND l.recipient_id IN (
            SELECT id FROM inbox_recipient WHERE user_id = %(number)s OR telegram_id = %(number)s)"""
    return "AND r.login >= %(text)s AND r.login < %(text)s || chr(1114111)"


def broadcast_audience_text(row: Broadcast) -> str:
    """Its audience in a line."""
    return audience_describe(row.audience)


def _reason(each: Tally) -> Reason:
    return Reason(each.channel, each.fate, each.reason, each.count, reason_text(each.reason))


def _pace(row: Broadcast) -> tuple[float, float | None]:
    if row.status != Status.SENDING or row.rate_at is None or clock.now() - row.rate_at > _STALE:
        return 0.0, None
    return round(row.rate, 1), (round(row.open / row.rate, 1) if row.rate > 0 else None)
