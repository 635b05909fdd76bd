"""Importing a CSV file as an audience: in batches, all or nothing; what cannot be used is listed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from jobs.storable import storable
from lib import clock
from notifications.broadcasts.audiences.files import Line, lines_read
from notifications.broadcasts.errors import AudienceUnknown, BroadcastSettled, FileInvalid
from notifications.broadcasts.models import Audience, Broadcast, Status

OBJECT = "audience"  # what the audit log calls it
BATCH = 5_000  # lines
REJECTS_KEPT = 1_000

_NUMBER = re.compile(r"-?[0-9]{1,20}(\.0*)?", re.ASCII)

# By the id of the backend, of that login if the line has one; else by the chat.
_BY_USER = """
SELECT u.place, r.id FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY u (user_id, login, place)
JOIN inbox_recipient r ON r.user_id = u.user_id AND (u.login = '' OR r.login = u.login)
"""
_BY_CHAT = """
SELECT u.place, r.id FROM unnest(%s::bigint[]) WITH ORDINALITY u (chat, place)
JOIN inbox_recipient r ON r.telegram_id = u.chat
"""
_ADD = """
INSERT INTO broadcast_audience_member (audience_id, recipient_id)
SELECT %s, u.id FROM unnest(%s::bigint[]) u (id) ON CONFLICT (audience_id, recipient_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that names nobody we know, and why."""

    line: int
    reason: str
    text: str


@dataclass(slots=True)
class ImportResult:
    """What became of a file. rejects: the first 1,000 of `rejected`. duplicates: people named again."""

    audience_id: UUID
    rows: int = 0
    members: int = 0
    duplicates: int = 0
    rejected: int = 0
    mapping: dict[str, str] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)


@transaction.atomic
def audience_import(
    name: str,
    file: BinaryIO,
    *,
    source: str,
    mapping: Mapping[str, str] | None = None,
    on_reject: Callable[[Reject], None] | None = None,
    on_batch: Callable[[int, int], None] | None = None,
    by: Account = None,
) -> ImportResult:
    """Make an audience of the people in a CSV file (UTF-8; comma, semicolon, tab or bar).

    mapping: our field (user_id, login, telegram_id) -> the name of its column; None: by usual names, and
    a file without a heading holds user_id, login. source says where it came from: a file name, a folder.
    on_reject is called for every line that is rejected, on_batch(lines, bytes read) now and then; what it
    raises ends the import. The memory it takes does not grow with the file.
    Raises FileInvalid, and nothing is kept. Repeat: makes another audience.
    """
    chosen, lines = lines_read(file, mapping)
    author = by.pk if isinstance(by, AbstractBaseUser) else None
    row = Audience(
        name=one_line(name)[:200] or "unnamed", source=one_line(source)[:300], mapping=chosen,
        author_id=author, created_at=clock.now(),
    )  # fmt: skip
    row.save(force_insert=True)
    result = ImportResult(row.pk, mapping=chosen)

    def reject(line: Line, reason: str) -> None:
        one = Reject(line.number, reason, line.text)
        result.rejected += 1
        if len(result.rejects) < REJECTS_KEPT:
            result.rejects.append(one)
        if on_reject is not None:
            on_reject(one)

    while batch := list(islice(lines, BATCH)):
        result.rows += len(batch)
        if file.tell() > settings.BROADCASTS_CSV_MAX_BYTES:
            raise FileInvalid(f"the file is larger than {settings.BROADCASTS_CSV_MAX_BYTES} bytes")
        _add(result, batch, reject)
        if on_batch is not None:
            on_batch(result.rows, file.tell())
    if not result.rows:
        raise FileInvalid("the file has a heading and no lines")
    _save(row, result)
    audit_write(by, "broadcasts.import", OBJECT, row.pk, name=row.name, members=row.members)
    return result


@transaction.atomic
def audience_delete(*, audience_id: UUID, by: Account) -> None:
    """Forget a list. Raises AudienceUnknown; BroadcastSettled while a broadcast is to be sent to it."""
    row = Audience.objects.select_for_update(no_key=True).filter(pk=audience_id).first()
    if row is None:
        raise AudienceUnknown(f"there is no audience {audience_id}")
    needed = Broadcast.objects.filter(
        status__in=[Status.DRAFT, Status.SCHEDULED, Status.SENDING, Status.PAUSED],
        audience__type="csv",
        audience__audience_id=str(audience_id),
    ).first()
    if needed is not None:
        raise BroadcastSettled(
            f"the broadcast “{needed.title}” ({needed.status}) is to be sent to it"
        )
    row.delete()
    audit_write(by, "broadcasts.forget_audience", OBJECT, audience_id, name=row.name)


def _add(result: ImportResult, batch: list[Line], reject: Callable[[Line, str], None]) -> None:
    is_by_user = "user_id" in result.mapping
    name = "user_id" if is_by_user else "telegram_id"
    known: list[tuple[Line, int]] = []
    for line in batch:
        number = _number(line.cells[name])
        if number is None:
            said = line.cells[name][:40]
            reject(line, f"{name} “{said}” is no number" if said else f"{name} is empty")
        else:
            known.append((line, number))
    numbers = [number for _, number in known]
    if is_by_user:
        logins = [line.cells.get("login", "") for line, _ in known]
        found = sql.rows(_BY_USER, [numbers, logins])
    else:
        found = sql.rows(_BY_CHAT, [numbers])
    places = {place for place, _ in found}
    for place, (line, _) in enumerate(known, 1):
        if place not in places:
            both = " and login" if is_by_user and line.cells.get("login") else ""
            reject(line, f"nobody we know has this {name}{both}")
    added = sql.run(_ADD, [result.audience_id, [recipient_id for _, recipient_id in found]])
    result.members += added
    result.duplicates += len(found) - added


def one_line(text: str) -> str:
    """Names of files may hold anything."""
    return " ".join(storable(text).split())


def _number(text: str) -> int | None:
    """A whole number that a bigint holds; also as spreadsheets write it, 1001.0."""
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text.partition(".")[0])
    return number if -(2**63) <= number < 2**63 else None


def _save(row: Audience, result: ImportResult) -> None:
    row.rows, row.members = result.rows, result.members
    row.duplicates, row.rejected = result.duplicates, result.rejected
    row.rejects = [asdict(one) for one in result.rejects]
    row.save()
