"""Trying a broadcast before it is sent: how it looks, whom it would reach, one to oneself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from psycopg.errors import QueryCanceled

from jobs import sql
from jobs.audit import Account, audit_write
from lib.ids import uuid7
from notifications.broadcasts.audiences.registry import (
    Json,
    audience_check,
    audience_clause,
    audience_unmatched,
)
from notifications.broadcasts.delivery import draft_of
from notifications.broadcasts.drafting import OBJECT
from notifications.broadcasts.errors import BroadcastInvalid, BroadcastUnknown, CountSlow
from notifications.broadcasts.models import Broadcast, Channel
from notifications.broadcasts.texts import LANGUAGES, SOURCE, Text, text_for
from notifications.inbox.accept import accept
from notifications.inbox.models import Recipient
from notifications.telegram.services import message_queue

# The same rules as in expansion.py, counted instead of written.
_COUNT = """
SELECT count(*), count(*) FILTER (WHERE q.is_muted), count(*) FILTER (WHERE q.telegram_id IS NULL),
    count(*) FILTER (WHERE q.telegram_id IS NOT NULL AND q.is_muted),
    count(DISTINCT q.telegram_id) FILTER (WHERE NOT q.is_muted),
    count(q.telegram_id) FILTER (WHERE NOT q.is_muted), count(*) FILTER (WHERE q.is_russian)
FROM (
    SELECT r.telegram_id, %(source)s = ANY (r.muted_sources) AS is_muted,
        r.language ILIKE 'ru%%' AS is_russian
    FROM inbox_recipient r WHERE {clause}
) q
"""


@dataclass(frozen=True, slots=True)
class DryRun:
    """Whom a broadcast would reach if it were sent now.

    people: in the audience. channels: {"telegram": {"send": 90, "no_telegram": 8, "muted": 2}};
    "send" is how many would be sent to, the other words are the reasons of those who are skipped.
    languages: {"en": 80, "ru": 20}. unmatched: named by the audience, but nobody we know.
    """

    people: int
    channels: dict[str, dict[str, int]]
    languages: dict[str, int]
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class TestSent:
    """What a test went out as, per channel: {"inbox": "unread", "telegram": "queued"}."""

    __test__ = False  # its name is no test

    channels: dict[str, str] = field(default_factory=dict)


@contextmanager
def counting(patience_ms: int) -> Iterator[None]:
    """A transaction none of whose statements takes longer. Raises CountSlow."""
    try:
        with transaction.atomic():
            sql.run("SELECT set_config('statement_timeout', %s, true)", [str(patience_ms)])
            yield
    except OperationalError as exc:
        if isinstance(exc.__cause__, QueryCanceled):
            raise CountSlow from None
        raise


def audience_count(audience: Json) -> int:
    """How many people an audience holds now, for the live count. Raises AudienceInvalid. One query."""
    clause = audience_clause(audience_check(audience))
    found = sql.row(f"SELECT count(*) FROM inbox_recipient r WHERE {clause.sql}", clause.params)
    return int(found[0]) if found else 0


def broadcast_dry_run(*, broadcast_id: UUID) -> DryRun:
    """Count whom it would reach. Sends and writes nothing. Raises BroadcastUnknown, AudienceInvalid."""
    row = _get(broadcast_id)
    clause = audience_clause(audience_check(row.audience))
    found = sql.row(_COUNT.format(clause=clause.sql), {**clause.params, "source": SOURCE})
    assert found is not None
    people, muted, no_telegram, telegram_muted, chats, in_chats, russian = map(int, found)
    channels = {
        Channel.INBOX.value: {"send": people - muted, "muted": muted},
        Channel.TELEGRAM.value: {
            "send": chats,
            "no_telegram": no_telegram,
            "muted": telegram_muted,
            "duplicate_chat": in_chats - chats,
        },
    }
    is_bilingual = bool(row.body_ru)
    return DryRun(
        people,
        {name: counts for name, counts in channels.items() if name in row.channels},
        {"en": people - russian, "ru": russian} if is_bilingual else {"en": people},
        audience_unmatched(row.audience),
    )


def broadcast_preview(*, broadcast_id: UUID) -> list[Text]:
    """Its texts as people will read them, per channel and language. Raises BroadcastUnknown."""
    row = _get(broadcast_id)
    languages = LANGUAGES if row.body_ru else LANGUAGES[:1]
    return [text_for(row, channel, each) for channel in row.channels for each in languages]


@transaction.atomic
def broadcast_test_send(
    *,
    broadcast_id: UUID,
    user_id: int | None = None,
    login: str = "",
    telegram_id: int | None = None,
    language: str = "en",
    by: Account,
) -> TestSent:
    """Send it to one person, marked as a test, on its channels; the ledger is not touched.

    The inbox needs user_id and login; Telegram needs telegram_id, or the one that this person has.
    Raises BroadcastUnknown, BroadcastInvalid if nobody is named for any channel.
    """
    row = _get(broadcast_id)
    row.title, row.title_ru = f"[TEST] {row.title}", f"[ТЕСТ] {row.title_ru or row.title}"
    done: dict[str, str] = {}
    person = None
    if user_id is not None and login:
        person = Recipient.objects.filter(user_id=user_id, login=login).first()
    if Channel.INBOX in row.channels and user_id is not None and login:
        made = accept([draft_of(row, language, [(user_id, login)])])
        done[Channel.INBOX] = made[0].states[0]
    chat = telegram_id or (person.telegram_id if person else None)
    if Channel.TELEGRAM in row.channels and chat:
        text = text_for(row, Channel.TELEGRAM, language)
        message_queue(
            telegram_id=chat, message=text.text, parse_mode=text.parse_mode, priority=1,
            notification_type="broadcast_test", dedup_key=f"broadcast-test:{uuid7()}", by=by,
        )  # fmt: skip
        done[Channel.TELEGRAM] = "queued"
    if not done:
        raise BroadcastInvalid("user_id", "name somebody whom its channels can reach")
    audit_write(by, "broadcasts.test_send", OBJECT, row.pk, channels=sorted(done))
    return TestSent(done)


def _get(broadcast_id: UUID) -> Any:
    row = Broadcast.objects.filter(pk=broadcast_id).first()
    if row is None:
        raise BroadcastUnknown(f"there is no broadcast {broadcast_id}")
    return row
