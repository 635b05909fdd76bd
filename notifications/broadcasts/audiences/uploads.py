"""Large files of people: taken in by the web, read by a worker, followed on the page of all long operations.

The content lies in chunks in the database, so that it survives whatever is killed and the worker may be
another machine. The import is one transaction: a killed one leaves nothing and begins anew.
"""

import io
from collections.abc import Mapping
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.context import current_job
from jobs.operations import job_cancel
from jobs.registry import kind_get
from lib import clock
from notifications.broadcasts.audiences.files import lines_read
from notifications.broadcasts.audiences.imports import ImportResult, audience_import, one_line
from notifications.broadcasts.errors import BroadcastSettled, FileInvalid, UploadUnknown
from notifications.broadcasts.models import Upload, UploadChunk

IMPORT = "broadcasts.import_audience"
OBJECT = "audience upload"  # what the audit log calls it
AT_ONCE_BYTES = 256 * 1024  # smaller files are imported while the caller waits
CHUNK_BYTES = 1024 * 1024
OPEN = (Upload.State.WAITING, Upload.State.RUNNING)


class UploadEnded(Exception):
    """Somebody cancelled it, or another worker has brought it to its end."""


def upload_keep(
    name: str,
    file: BinaryIO,
    *,
    size: int,
    source: str,
    mapping: Mapping[str, str] | None = None,
    by: Account = None,
) -> Upload:
    """Keep a file and have it imported by a job; its id is that of the operation at /progress/<id>.

    What the first lines already show to be wrong is refused here. Raises FileInvalid. Repeat: another one.
    """
    if size > settings.BROADCASTS_CSV_MAX_BYTES:
        raise FileInvalid(f"the file is larger than {settings.BROADCASTS_CSV_MAX_BYTES} bytes")
    lines_read(file, mapping)
    file.seek(0)
    author = by.pk if isinstance(by, AbstractBaseUser) else None
    with transaction.atomic():
        row = Upload.objects.create(
            name=one_line(name)[:200] or "unnamed", source=one_line(source)[:300], size=size,
            mapping=dict(mapping) if mapping else None, author_id=author, created_at=clock.now(),
        )  # fmt: skip
        number = 0
        while content := file.read(CHUNK_BYTES):
            UploadChunk.objects.create(upload=row, number=number, content=content)
            number += 1
        row.job_id = kind_get(IMPORT).enqueue(upload_id=str(row.pk)).id
        row.save(update_fields=["job_id"])
        audit_write(by, "broadcasts.upload", OBJECT, row.pk, name=row.name, bytes=size)
    return row


def upload_import(upload_id: UUID) -> ImportResult | None:
    """Make the list. Returns what came of it; None if the file is no list, and the row says why.

    Repeat-safe: one that has ended is left as it is. Raises UploadEnded.
    """
    begun = Upload.objects.filter(pk=upload_id, state__in=OPEN).update(
        state=Upload.State.RUNNING, started_at=clock.now()
    )
    row = Upload.objects.select_related("author").filter(pk=upload_id).first()
    if not begun or row is None:
        raise UploadEnded
    try:
        with transaction.atomic():
            result = audience_import(
                row.name,
                cast(BinaryIO, io.BufferedReader(ChunkFile(row.pk))),
                source=row.source,
                mapping=row.mapping,
                on_batch=lambda lines, read: _report(row, lines, read),
                by=row.author,
            )
            _end(row.pk, state=Upload.State.DONE, audience_id=result.audience_id)
    except FileInvalid as exc:
        _end(row.pk, state=Upload.State.FAILED, error=exc.message.removeprefix("file: ")[:500])
        return None
    return result


def upload_cancel(*, upload_id: UUID, by: Account) -> None:
    """Make no list of it. Holds from the moment this returns. Raises UploadUnknown, BroadcastSettled."""
    row = upload_get(upload_id)
    try:
        with transaction.atomic():
            _end(row.pk, state=Upload.State.CANCELLED)
            audit_write(by, "broadcasts.cancel_upload", OBJECT, row.pk, name=row.name)
    except UploadEnded:
        row.refresh_from_db()
        raise BroadcastSettled(f"the import is {row.state} already") from None
    if row.job_id is not None:
        job_cancel(job_id=row.job_id, by=by)


def upload_get(upload_id: UUID) -> Upload:
    """The upload. Raises UploadUnknown."""
    row = Upload.objects.filter(pk=upload_id).first()
    if row is None:
        raise UploadUnknown(f"there is no import {upload_id}")
    return row


def _end(upload_id: UUID, **changes: Any) -> None:
    """Whoever ends it first has ended it. Raises UploadEnded for all others."""
    with transaction.atomic():
        ended = Upload.objects.filter(pk=upload_id, state__in=OPEN).update(
            finished_at=clock.now(), **changes
        )
        if not ended:
            raise UploadEnded
        UploadChunk.objects.filter(upload_id=upload_id).delete()


def _report(row: Upload, lines: int, read: int) -> None:
    context = current_job()
    if context is not None:
        context.report(read, row.size, msg=f"{lines:,} lines read")
        context.check()
    if not Upload.objects.filter(pk=row.pk, state=Upload.State.RUNNING).exists():
        raise UploadEnded


class ChunkFile(io.RawIOBase):
    """The content of an upload from its beginning to its end, a chunk in memory at a time."""

    def __init__(self, upload_id: UUID) -> None:
        self._upload_id = upload_id
        self._number = 0
        self._left = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        if not self._left:
            chunks = UploadChunk.objects.filter(upload_id=self._upload_id, number=self._number)
            content = chunks.values_list("content", flat=True).first()
            self._left, self._number = memoryview(content or b""), self._number + 1
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        self._position += count
        return count
