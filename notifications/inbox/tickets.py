"""Tickets: how a browser says who it is when it opens a socket, where it cannot send a header.

A backend that knows the person asks for one; it opens one connection, within seconds. It is signed,
so nothing is stored until it is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import connection

from lib import clock
from lib.ids import uuid7

_SALT = "inbox.ticket"


class TicketInvalid(Exception):
    """This is no ticket of ours."""


class TicketLate(TicketInvalid):
    """The ticket is too old."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Lets one person connect once, until expires_at."""

    jti: UUID
    user_id: int
    login: str
    expires_at: datetime


def ticket_issue(*, user_id: int, login: str) -> tuple[str, datetime]:
    """(text of the ticket, until when it holds)."""
    expires_at = clock.now() + settings.WS_TICKET_TTL
    body = [uuid7().hex, user_id, login, int(expires_at.timestamp() * 1000)]
    return signing.dumps(body, salt=_SALT), expires_at


def ticket_read(text: str) -> Ticket:
    """What a ticket says; whether it was used is known to `tickets_use`. Raises TicketInvalid, TicketLate."""
    try:
        jti, user_id, login, expires_ms = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        raise TicketInvalid from None
    expires_at = datetime.fromtimestamp(expires_ms / 1000, UTC)
    if expires_at <= clock.now():
        raise TicketLate
    return Ticket(UUID(hex=jti), user_id, login, expires_at)


def tickets_use(used: Sequence[tuple[UUID, datetime]]) -> list[bool]:
    """Use tickets (jti, expires_at): True for each that nobody has used before, whoever asks first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbox_usedticket (jti, expires_at)"
            " SELECT * FROM unnest(%s::uuid[], %s::timestamptz[])"
            " ON CONFLICT DO NOTHING RETURNING jti",
            [[jti for jti, _ in used], [at for _, at in used]],
        )
        fresh: set[Any] = {jti for (jti,) in cursor.fetchall()}
    answers = []
    for jti, _ in used:
        answers.append(jti in fresh)
        fresh.discard(jti)
    return answers
