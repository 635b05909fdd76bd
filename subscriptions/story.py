"""Writing the story of subscribers: one line for whatever happened, in the transaction of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser

from jobs.audit import Account
from jobs.context import current_job
from lib import clock
from lib.context import correlation_id
from subscriptions.models import SubscriberEvent
from subscriptions.words import SENTENCES, SOURCES, KindUnknown

PACK = 1_000  # rows of one INSERT


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One line of a story that is to be written; what the fields mean: subscriptions.models.event."""

    subscriber_id: int
    kind: str
    source: str
    data: Mapping[str, Any] = field(default_factory=dict)  # JSON; moments and decimals as strings
    actor: str = ""
    payment_id: UUID | None = None
    job_id: UUID | None = None
    at: datetime | None = None


def event_write(
    subscriber_id: int,
    kind: str,
    source: str,
    *,
    data: Mapping[str, Any] | None = None,
    by: Account = None,
    payment_id: UUID | None = None,
    job_id: UUID | None = None,
) -> SubscriberEvent:
    """Write one line of a subscriber's story. The running job and the correlation id go with it.

    kind: one of subscriptions.words.SENTENCES. by: the person whose act it was.
    Raises KindUnknown. Repeat: each call writes a line.
    """
    actor = by.get_username() if isinstance(by, AbstractBaseUser) else ""
    row = EventRow(
        subscriber_id=subscriber_id,
        kind=kind,
        source=source,
        data=data or {},
        actor=actor,
        payment_id=payment_id,
        job_id=job_id,
    )
    event = _event(row, clock.now(), *_cause())
    event.save(force_insert=True)
    return event


def events_write(rows: Iterable[EventRow]) -> int:
    """Write many lines, PACK of them by one statement; rows may be a generator. Returns how many.

    Raises KindUnknown. Repeat: each call writes the lines.
    """
    now, (job_id, correlation), count = clock.now(), _cause(), 0
    pack: list[SubscriberEvent] = []
    for row in rows:
        pack.append(_event(row, now, job_id, correlation))
        if len(pack) == PACK:
            count += len(SubscriberEvent.objects.bulk_create(pack))
            pack = []
    return count + len(SubscriberEvent.objects.bulk_create(pack))


def _cause() -> tuple[UUID | None, str | None]:
    job = current_job()
    return (job.id if job else None), (correlation_id.get() or None)


def _event(
    row: EventRow, now: datetime, job_id: UUID | None, correlation: str | None
) -> SubscriberEvent:
    if row.kind not in SENTENCES or row.source not in SOURCES:
        raise KindUnknown(f"{row.kind!r} by {row.source!r} has no words")
    return SubscriberEvent(
        subscriber_id=row.subscriber_id,
        at=row.at or now,
        kind=row.kind,
        source=row.source,
        data=dict(row.data),
        actor=row.actor,
        payment_id=row.payment_id,
        job_id=row.job_id or job_id,
        correlation_id=correlation,
    )
