"""Taking back, or putting right, what was sent.

Inboxes: what is unread vanishes or changes; what was read is what the person knows. Telegram deletes and
edits what is younger than 48 hours (Bot API 10.1, deleteMessage).
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from jobs.registry import kind_get
from lib import clock
from notifications.broadcasts.drafting import OBJECT, lengths_check
from notifications.broadcasts.errors import BroadcastInvalid, BroadcastSettled
from notifications.broadcasts.holding import broadcast_hold, hold_shared
from notifications.broadcasts.models import Broadcast, Channel, Status
from notifications.broadcasts.texts import text_for, texts_check
from notifications.inbox.changing import changed
from notifications.inbox.models import State
from notifications.telegram import errors
from notifications.telegram.availability import Availability
from notifications.telegram.sending import client

RECALL = "broadcasts.recall"
MODES = ("delete", "edit")
TEXTS = ("title", "title_ru", "body", "body_ru")
RECALLABLE = (Status.PAUSED, Status.SENT, Status.CANCELLED, Status.FAILED)
WITHIN = timedelta(hours=48)
INBOX_BATCH = 1_000
TELEGRAM_PACK = 10  # messages at once, in as many threads


@transaction.atomic
def broadcast_recall(
    *,
    broadcast_id: UUID,
    by: Account,
    mode: str = "delete",
    title: str | None = None,
    title_ru: str | None = None,
    body: str | None = None,
    body_ru: str | None = None,
) -> Broadcast:
    """Take it back from those who got it (delete), or give them another text (edit).

    A job does it; `recall` of the broadcast tells how far it is: {"mode", "state": running | done,
    "done", "kept"}, and each row of the ledger what became of it. An edited text is also what a resend or
    the rest of a paused broadcast gets. Raises BroadcastUnknown, BroadcastSettled, BroadcastInvalid.
    Repeat: while it runs, nothing changes; afterwards it goes through all of them again.
    """
    row = broadcast_hold(broadcast_id)
    if mode not in MODES:
        raise BroadcastInvalid("mode", "must be delete or edit")
    if row.status not in RECALLABLE:
        raise BroadcastSettled(
            f"the broadcast is {row.status}; pause or cancel it before it is recalled",
            broadcast_status=row.status,
        )
    if row.ledger_forgotten_at is not None:
        raise BroadcastSettled("its ledger was put away: nobody knows what was sent to whom")
    if not row.sent:
        raise BroadcastSettled(
            "nobody has got it: there is nothing to recall", broadcast_status=row.status
        )
    if (row.recall or {}).get("state") == "running":
        return row
    if mode == "edit":
        _put_right(row, title=title, title_ru=title_ru, body=body, body_ru=body_ru)
    row.recall = {
        "mode": mode, "state": "running", "asked_at": clock.now().isoformat(), "done": 0, "kept": 0,
        "after": dict.fromkeys(row.channels, 0),
    }  # fmt: skip
    row.updated_at = clock.now()
    row.save(update_fields=["recall", "updated_at", "version", *TEXTS])
    kind_get(RECALL).enqueue(broadcast_id=str(row.pk), unique=(RECALL, row.pk))
    audit_write(by, f"broadcasts.recall_{mode}", OBJECT, row.pk, sent=row.sent)
    return row


def _put_right(row: Broadcast, **texts: str | None) -> None:
    given = {name: text for name, text in texts.items() if text is not None}
    if not given:
        raise BroadcastInvalid("body", "say what they are to read instead")
    for name, text in given.items():
        setattr(row, name, text)
    lengths_check(row)
    texts_check(row)
    row.version += 1


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivered row of the ledger."""

    recipient_id: int
    message_ref: str
    telegram_id: int | None
    language: str
    at: datetime


def inbox_recall(broadcast_id: UUID) -> int:
    """Take the next notifications back. Returns how many were looked at; 0: all were. Repeat-safe."""
    with transaction.atomic():
        hold_shared(broadcast_id)
        row, rows = _next(broadcast_id, Channel.INBOX, INBOX_BATCH)
        if row is None or not rows:
            return 0
        ids = [each.message_ref for each in rows]
        if row.recall["mode"] == "delete":  # type: ignore[index]
            done = changed("inbox_close(%s::uuid[], %s, %s)", [ids, State.RECALLED, clock.offset()])
        else:
            messages = [text_for(row, Channel.INBOX, each.language).text for each in rows]
            done = changed(
                "inbox_update(%s::uuid[], %s::text[], %s::text[], %s)",
                [ids, messages, [None] * len(ids), clock.offset()],
            )
        changed_ids = {str(one.notification_id) for one in done}
        _note(
            broadcast_id, Channel.INBOX,
            {each.recipient_id: "done" if each.message_ref in changed_ids else "kept" for each in rows},
        )  # fmt: skip
    return len(rows)


def telegram_is_left(broadcast_id: UUID) -> bool:
    """Whether there are Telegram messages that nobody has looked at yet."""
    return bool(_next(broadcast_id, Channel.TELEGRAM, 1)[1])


def telegram_recall(broadcast_id: UUID, telegram: Availability) -> int:
    """Take the next Telegram messages back. Returns how many were looked at; 0: all were.

    Repeat-safe: deleting and editing twice is fine. Raises what Telegram says of itself rather than of a
    message (RateLimited, TelegramUnavailable, OutcomeUnknown, BotUnauthorized), which `telegram` has
    learnt by then; what was not written is asked for again.
    """
    row, rows = _next(broadcast_id, Channel.TELEGRAM, TELEGRAM_PACK)
    if row is None or not rows:
        return 0
    young = [each for each in rows if each.at > clock.now() - WITHIN]
    fates = {each.recipient_id: "too_old" for each in rows if each not in young}
    with ThreadPoolExecutor(TELEGRAM_PACK, "recall") as threads:
        answers = list(threads.map(lambda each: _telegram_one(row, each), young))
    for each, answer in zip(young, answers, strict=True):
        if isinstance(answer, errors.TelegramError):
            telegram.learn(answer, has_answered=False)
            raise answer
        fates[each.recipient_id] = answer
    with transaction.atomic():
        _note(broadcast_id, Channel.TELEGRAM, fates)
    return len(rows)


def recall_end(broadcast_id: UUID) -> None:
    """Say that it is done. Repeat-safe."""
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)
        if row.recall is not None and row.recall["state"] == "running":
            row.recall |= {"state": "done", "finished_at": clock.now().isoformat()}
            row.save(update_fields=["recall"])


def _telegram_one(row: Broadcast, sent: Sent) -> str | errors.TelegramError:
    assert sent.telegram_id is not None
    place: Mapping[str, Any] = {"chat_id": sent.telegram_id, "message_id": int(sent.message_ref)}
    try:
        if row.recall["mode"] == "delete":  # type: ignore[index]
            client().delete_message(**place)
        else:
            text = text_for(row, Channel.TELEGRAM, sent.language)
            client().edit_message_text(**place, text=text.text, parse_mode=text.parse_mode)
    except errors.Refused:
        return "refused"
    except errors.ChatMigrated:
        return "refused"  # message numbers of the old group mean nothing in the new one
    except errors.TelegramError as exc:
        return exc
    return "done"


def _next(broadcast_id: UUID, channel: str, most: int) -> tuple[Broadcast | None, list[Sent]]:
    row = Broadcast.objects.filter(pk=broadcast_id).first()
    if row is None or row.recall is None or row.recall["state"] != "running":
        return None, []
    found = sql.rows(
        """SELECT recipient_id, message_ref, telegram_id, language, at FROM broadcast_ledger
        WHERE broadcast_id = %s AND channel = %s AND recipient_id > %s AND fate = 'sent'
            AND message_ref IS NOT NULL
        ORDER BY recipient_id LIMIT %s""",
        [broadcast_id, channel, row.recall["after"].get(channel, 0), most],
    )
    return row, [Sent(*each) for each in found]


def _note(broadcast_id: UUID, channel: str, fates: Mapping[int, str]) -> None:
    """Write what became of rows, count it, and remember the last of them."""
    sql.run(
        """UPDATE broadcast_ledger l SET recall = f.fate
        FROM unnest(%s::bigint[], %s::text[]) f (recipient_id, fate)
        WHERE l.broadcast_id = %s AND l.channel = %s AND l.recipient_id = f.recipient_id""",
        [list(fates), list(fates.values()), broadcast_id, channel],
    )
    row = Broadcast.objects.select_for_update(no_key=True).get(pk=broadcast_id)
    recall: dict[str, Any] = row.recall or {}
    done = sum(fate == "done" for fate in fates.values())
    recall["done"] += done
    recall["kept"] += len(fates) - done
    recall["after"][channel] = max(fates)
    row.recall = recall
    row.save(update_fields=["recall"])
