"""Where the files lie: in a directory of ours, or in a bucket.

A file is there under its name only once it is whole: locally it is renamed when it has been written and
synced, and a bucket shows an object when its upload has ended. Names are ours, `<id>-<attempt>.<ext>`.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings

from reports.exports.errors import FileGone, StoreAway

PIECE = 256 * 1024
PARTIAL = ".partial"  # below EXPORT_DIR: what is being written, and never served


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of a store."""

    name: str
    bytes: int
    changed_at: datetime


class Pieces(Protocol):
    """An iterator that lets go of what it reads at its end, or when it is closed before."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...

    def close(self) -> None:
        """Read no further. Repeat: nothing."""


class Store(Protocol):
    """All of it may raise StoreAway."""

    def put(self, path: Path, name: str) -> None:
        """Take a whole file over under a name. The path is gone afterwards."""

    def pieces(self, name: str) -> "Pieces":
        """The content, piece by piece. Raises FileGone before the first of them."""

    def remove(self, name: str) -> bool:
        """Take a file away; False if it was not there."""

    def files(self) -> Iterator[Stored]:
        """All that is there."""


class Directory:
    """Files below EXPORT_DIR. Web and workers on several machines must share it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, path: Path, name: str) -> None:
        try:
            path.replace(self._root / name)
            _sync(self._root)
        except OSError as exc:
            raise StoreAway(f"the file cannot be put into EXPORT_DIR: {exc.strerror}") from exc

    def pieces(self, name: str) -> Pieces:
        try:
            file = (self._root / name).open("rb")
        except OSError:
            raise FileGone("The file is not on this machine, or was taken away by hand.") from None
        return _Pieces(file)

    def remove(self, name: str) -> bool:
        try:
            (self._root / name).unlink()
        except FileNotFoundError:
            return False
        except OSError as exc:
            raise StoreAway(f"a file cannot be taken away: {exc.strerror}") from exc
        return True

    def files(self) -> Iterator[Stored]:
        if not self._root.is_dir():
            return
        for entry in os.scandir(self._root):
            if entry.is_file(follow_symlinks=False):
                yield _stored(entry.name, entry.stat(follow_symlinks=False))


@cache
def _bucket() -> Store:
    # Loaded where it is used: botocore costs a process 40 MB that most sites never need.
    from reports.exports.bucket import Bucket  # noqa: PLC0415

    return Bucket()


def store() -> Store:
    """The store of this site. Uses the network: not within a transaction."""
    if settings.EXPORT_STORAGE == "s3":
        return _bucket()
    folder_make(settings.EXPORT_DIR)
    return Directory(settings.EXPORT_DIR)


def store_forget() -> None:
    """Read the settings anew, for tests."""
    _bucket.cache_clear()


def partial_folder() -> Path:
    """Where files are written, on the disk of EXPORT_DIR."""
    folder_make(settings.EXPORT_DIR)
    folder: Path = settings.EXPORT_DIR / PARTIAL
    folder_make(folder)
    return folder


def partials() -> Iterator[Stored]:
    """What is being written, or was when its writer was killed."""
    for entry in os.scandir(partial_folder()):
        if entry.is_file(follow_symlinks=False):
            yield _stored(entry.name, entry.stat(follow_symlinks=False))


def partial_remove(name: str) -> bool:
    """Take away an unfinished file; False if it was not there."""
    path = partial_folder() / name
    is_there = path.exists()
    path.unlink(missing_ok=True)
    return is_there


def folder_make(folder: Path) -> None:
    """The folder, closed to others: it holds people's data. Raises StoreAway."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise StoreAway(f"EXPORT_DIR cannot be made: {exc.strerror}") from exc


def free_bytes() -> int:
    """Room on the disk of EXPORT_DIR."""
    return shutil.disk_usage(partial_folder()).free


def _stored(name: str, facts: os.stat_result) -> Stored:
    return Stored(name, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class _Pieces:
    """A file piece by piece; closed at its end, or by whoever reads no further."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.close = file.close

    def __iter__(self) -> "_Pieces":
        return self

    def __next__(self) -> bytes:
        piece = b"" if self._file.closed else self._file.read(PIECE)
        if not piece:
            self.close()
            raise StopIteration
        return piece
