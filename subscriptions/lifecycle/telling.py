"""Writing to a subscriber: in whose language, by whose clock, and whether at all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from jobs import sql
from jobs.models import Priority
from lib import clock
from lib.errors import InputInvalid
from notifications.telegram.many import Draft, messages_queue
from notifications.telegram.templates import render
from subscriptions.activation.orders import language_pick, title_in
from subscriptions.lifecycle.stages import BY_STAGE
from subscriptions.models import Stage, Subscriber

SOURCE = "subscription"  # what people mute, as a source of the inbox
# A block that is older is tried again: whoever took it back is found by the next message only.
BLOCK_BELIEVED = timedelta(days=30)
KEPT = timedelta(days=2)  # so long after the end a second message of the same day is still known
_BLOCKED = "SELECT chat_id FROM telegram_chat WHERE chat_id = ANY(%s) AND unreachable_since > %s"


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it: reason is empty if a message is queued."""

    reason: str = ""
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is ready; dedup_key makes it one per person, whatever holds two of them."""

    template: str
    values: dict[str, object]
    dedup_key: str
    kept: timedelta
    priority: Priority


def zone_of(row: Subscriber) -> ZoneInfo:
    """The time zone of a subscriber; the setting's where it is not known, or is none."""
    try:
        return ZoneInfo(row.time_zone or settings.SUBSCRIBER_TIME_ZONE)
    except (LookupError, ValueError, OSError):
        return ZoneInfo(settings.SUBSCRIBER_TIME_ZONE)


def muted_of(telegram_ids: Collection[int]) -> set[int]:
    """Those of these chats whose people have muted us. One query, over the people who mute anything."""
    if not telegram_ids:
        return set()
    return {
        row[0]
        for row in sql.rows(
            """SELECT telegram_id FROM inbox_recipient
            WHERE muted_sources @> ARRAY[%s]::varchar[] AND telegram_id = ANY(%s)""",
            [SOURCE, list(telegram_ids)],
        )
    }


def expiry_letter(row: Subscriber, stage: Stage, expire_at: datetime, *, is_cut: bool) -> Letter:
    """The message of a stage. One per person, stage and day of the end, by the person's calendar."""
    ends_at = expire_at.astimezone(zone_of(row))
    values: dict[str, object] = {"plan": _plan(row), "renew_url": settings.RENEW_URL or None}
    if stage is not Stage.EXPIRED:
        template, priority = BY_STAGE[stage].message, BY_STAGE[stage].priority
        values["expires_at"] = ends_at
    elif is_cut:
        template, priority = "subscription_deactivated", Priority.HIGH
        values["deactivated_at"] = ends_at
        values["support"] = settings.SUPPORT_CONTACT or None
    else:
        template, priority = "subscription_expired", Priority.HIGH
        values["expired_at"] = ends_at
    return Letter(
        template,
        values,
        f"expiry:{row.telegram_id}:{stage}:{ends_at:%Y-%m-%d}",
        max(timedelta(days=1), expire_at - clock.now() + KEPT),
        priority,
    )


def tell(row: Subscriber, letter: Letter, *, is_muted: bool) -> Told:
    """Queue a message in the transaction of the caller, or say why not. Repeat-safe by its key."""
    [told] = tell_all([(row, letter)], muted={row.telegram_id} if is_muted else set())
    return told


def tell_all(
    letters: Sequence[tuple[Subscriber, Letter]], *, muted: Collection[int | None]
) -> list[Told]:
    """The same for many: three statements at most. muted: chats of people who have muted us."""
    blocked = _blocked_of({row.telegram_id for row, _ in letters if row.telegram_id is not None})
    drafts: list[Draft] = []
    found: list[Told | None] = []
    for row, letter in letters:
        drafted = _draft(row, letter, muted, blocked)
        found.append(Told(drafted) if isinstance(drafted, str) else None)
        drafts += [] if isinstance(drafted, str) else [drafted]
    queued = iter(messages_queue(drafts) if drafts else ())
    return [told or _told(*next(queued)) for told in found]


def _told(message_id: int, is_known: bool) -> Told:
    return Told("same_person" if is_known else "", message_id)


def _draft(
    row: Subscriber, letter: Letter, muted: Collection[int | None], blocked: Collection[int]
) -> Draft | str:
    """The message, or a word of subscriptions.lifecycle.reasons why there is none."""
    if row.telegram_id is None:
        return "no_telegram"
    if row.telegram_id in muted:
        return "muted"
    if row.telegram_id in blocked:
        return "blocked"
    text = render(letter.template, language_pick(row.language), **letter.values)
    try:
        return Draft(
            telegram_id=row.telegram_id,
            message=text,
            notification_type=letter.template,
            priority=letter.priority,
            dedup_key=letter.dedup_key,
            dedup_ttl=letter.kept,
        )
    except InputInvalid:
        return "bad_telegram"


def _plan(row: Subscriber) -> str:
    """What the person knows the subscription as."""
    if row.plan is None:
        return row.username
    return title_in(row.plan, language_pick(row.language))


def _blocked_of(telegram_ids: Collection[int]) -> set[int]:
    if not telegram_ids:
        return set()
    found = sql.rows(_BLOCKED, [list(telegram_ids), clock.now() - BLOCK_BELIEVED])
    return {chat_id for (chat_id,) in found}
