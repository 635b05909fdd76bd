"""Writing the story of subscribers: one line for whatever happened, in the transaction of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.contrib.auth.base_user import AbstractBaseUser

from jobs import sql
from jobs.audit import Account
from jobs.compiled import rows_of
from jobs.context import current_job
from lib import clock
from lib.context import correlation_id
from subscriptions.models import SubscriberEvent
from subscriptions.words import SENTENCES, SOURCES, KindUnknown

PACK = 1_000  # rows of one INSERT

_COLUMNS = "subscriber_id, at, kind, source, data, actor, payment_id, job_id, correlation_id"
_ONE = f"""
INSERT INTO subscriber_event ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
_MANY = f"""
INSERT INTO subscriber_event ({_COLUMNS})
SELECT {_COLUMNS} FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (
    subscriber_id bigint, at timestamptz, kind text, source text, data jsonb, actor text,
    payment_id uuid, job_id uuid, correlation_id text)
"""


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
    values = _values(event)
    values["data"] = orjson.dumps(values["data"]).decode()
    [(event.pk,)] = rows_of(_ONE, list(values.values()))
    return event


def events_write(rows: Iterable[EventRow]) -> int:
    """Write many lines, PACK of them by one statement; rows may be a generator. Returns how many.

    Raises KindUnknown. Repeat: each call writes the lines.
    """
    now, (job_id, correlation), count = clock.now(), _cause(), 0
    pack: list[dict[str, Any]] = []
    for row in rows:
        pack.append(_values(_event(row, now, job_id, correlation)))
        if len(pack) == PACK:
            count += _insert(pack)
            pack = []
    return count + _insert(pack)


def _insert(pack: Sequence[dict[str, Any]]) -> int:
    return sql.run(_MANY, {"rows": orjson.dumps(pack).decode()}) if pack else 0


def _values(event: SubscriberEvent) -> dict[str, Any]:
    """The columns in the order of the statements, which are written by hand: a story has many lines."""
    return {
        "subscriber_id": event.subscriber_id,
        "at": event.at,
        "kind": event.kind,
        "source": event.source,
        "data": event.data,
        "actor": event.actor,
        "payment_id": event.payment_id,
        "job_id": event.job_id,
        "correlation_id": event.correlation_id,
    }


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
