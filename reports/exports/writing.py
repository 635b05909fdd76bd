"""Writing the file of an export: into a partial file, then under its name, then the row says done.

Killed anywhere it starts again from the beginning: nothing that is not whole has a name, and no name is
given out before the row says so. Whoever was stalled and comes back finds that another attempt has the
row, and throws its own file away.
"""

import gzip
import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from jobs.faults import fault
from lib import clock
from reports.exports import stores
from reports.exports.ending import export_tell
from reports.exports.errors import StoreAway
from reports.exports.models import Export, ExportState
from reports.exports.models.export import OPEN
from reports.exports.reading import chunks, heading, key_bounds, selection_of, share_done

BOM = "\ufeff".encode()
LEVEL = 5  # of gzip: half the time of the usual 9 for some 2 % more bytes
RESERVE = 256 * 1024 * 1024  # bytes that stay free on the disk

Look = Callable[[int, int | None], None]


class Overtaken(Exception):
    """The export was cancelled, or another attempt writes it."""


class DiskFull(Exception):
    """There is too little room on the disk of EXPORT_DIR."""


def export_write(export_id: UUID, *, look: Look | None = None) -> Export | None:
    """Write the file. None: there is nothing to write any more.

    look(rows, expected) is called after each chunk; what it raises ends the writing.
    Raises StoreAway, DiskFull, and what the database raises. Repeat: a done export is left as it is.
    """
    export = _begin(export_id)
    if export is None:
        return None
    prefix = f"{export.pk}-"
    for found in stores.partials():
        if found.name.startswith(prefix):
            stores.partial_remove(found.name)
    path = stores.partial_folder() / f"{prefix}{export.attempt}"
    name = f"{prefix}{export.attempt}.{export.extension}"
    try:
        rows, file = _write(export, path, look or (lambda rows, expected: None))
        fault("exports.written")
        if settings.EXPORT_STORAGE != "local" and not connection.in_atomic_block:
            connection.close()  # an upload may take minutes
        _put(export, rows, path, name)
        fault("exports.stored")
        if _finish(export, rows, file, name):
            return export
        stores.store().remove(name)
    except Overtaken:
        return None
    finally:
        path.unlink(missing_ok=True)
    return None


def _begin(export_id: UUID) -> Export | None:
    with transaction.atomic():
        export = (
            Export.objects.select_for_update(no_key=True)
            .filter(pk=export_id, state__in=OPEN)
            .first()
        )
        if export is None:
            return None
        export.state, export.attempt = ExportState.RUNNING, export.attempt + 1
        export.rows, export.bytes, export.rows_expected = 0, 0, None
        export.started_at = clock.now()
        export.save(
            update_fields=["state", "attempt", "rows", "bytes", "rows_expected", "started_at"]
        )
    return export


def _write(export: Export, path: Path, look: Look) -> tuple[int, "OutFile"]:
    selection, rows = selection_of(export), 0
    bounds = key_bounds(selection.source, selection.rows())
    with OutFile(path, is_gzipped=export.is_gzipped) as file:
        file.write(BOM if export.has_bom else b"")
        file.write(heading(selection))
        for chunk in chunks(selection):
            file.write(chunk.body)
            rows += chunk.rows
            share = share_done(bounds, chunk.last)
            expected = round(rows / share) if share else None
            if not _noted(export, rows=rows, rows_expected=expected, bytes=file.size):
                raise Overtaken
            if stores.free_bytes() < RESERVE:
                raise DiskFull("there is too little room on the disk of EXPORT_DIR")
            look(rows, expected)
            fault("exports.chunk")
    return rows, file


def _put(export: Export, rows: int, path: Path, name: str) -> None:
    """Whoever was overtaken may find its partial file taken away: that is no fault of the store."""
    try:
        stores.store().put(path, name)
    except StoreAway:
        if not _noted(export, rows=rows):
            raise Overtaken from None
        raise


def _noted(export: Export, **fields: Any) -> bool:
    """Say how far it is; False if that is nobody's business any more."""
    mine = Export.objects.filter(pk=export.pk, attempt=export.attempt, state=ExportState.RUNNING)
    return bool(mine.update(**fields))


def _finish(export: Export, rows: int, file: "OutFile", name: str) -> bool:
    """The row says done and whoever asked is told, in one transaction. Locks: the export."""
    with transaction.atomic():
        is_mine = Export.objects.select_for_update(no_key=True).filter(
            pk=export.pk, attempt=export.attempt, state=ExportState.RUNNING
        )
        if not is_mine.exists():
            return False
        now = clock.now()
        export.state, export.finished_at = ExportState.DONE, now
        export.expires_at = now + settings.EXPORT_KEEP
        export.rows = export.rows_expected = rows
        export.bytes, export.sha256, export.storage_name = file.size, file.sha256, name
        export.error = ""
        export.save(
            update_fields=[
                "state", "finished_at", "expires_at", "rows", "rows_expected", "bytes", "sha256",
                "storage_name", "error",
            ]
        )  # fmt: skip
        export_tell(export)
    return True


def export_fail(export_id: UUID, why: str, *, at: datetime | None = None) -> bool:
    """Give an open export up, and tell whoever asked. False: it was over before. Repeat: told once."""
    with transaction.atomic():
        export = (
            Export.objects.select_for_update(no_key=True)
            .filter(pk=export_id, state__in=OPEN)
            .first()
        )
        if export is None:
            return False
        export.state, export.error = ExportState.FAILED, why[:300]
        export.finished_at = at or clock.now()
        export.save(update_fields=["state", "error", "finished_at"])
        export_tell(export)
    return True


def export_delayed(export_id: UUID, why: str) -> None:
    """Note why a try ended, while further ones follow."""
    Export.objects.filter(pk=export_id, state__in=OPEN).update(error=why[:300])


def downloads_note(export_id: UUID) -> None:
    """Count one more download."""
    Export.objects.filter(pk=export_id).update(
        downloads=F("downloads") + 1, downloaded_at=clock.now()
    )


class OutFile:
    """A file that counts and hashes what it holds; synced to the disk when the block ends well."""

    def __init__(self, path: Path, *, is_gzipped: bool) -> None:
        self.size = 0
        self._hash = hashlib.sha256()
        self._raw: IO[bytes] = path.open("xb", buffering=1024 * 1024)
        path.chmod(0o600)
        # No name and no time in the header: the same rows give the same bytes.
        self._zip = (
            gzip.GzipFile("", "wb", LEVEL, fileobj=_Tee(self._take), mtime=0)
            if is_gzipped
            else None
        )

    @property
    def sha256(self) -> str:
        """Of the file as it lies there, in hex."""
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Add to the content."""
        if self._zip is not None:
            self._zip.write(piece)
        else:
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        self._raw.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def __enter__(self) -> "OutFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._raw:
            if kind is None:
                if self._zip is not None:
                    self._zip.close()
                self._raw.flush()
                os.fsync(self._raw.fileno())


class _Tee:
    """What gzip writes into."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def write(self, piece: bytes) -> int:
        self._take(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is kept back."""
