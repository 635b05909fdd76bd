"""Directories that a rule may name, and the one way to files in them.

A path is opened component by component below a directory that is open already, never through a link:
what is checked is what is opened, also if somebody swaps a directory for a link in between.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from django.conf import settings

from monitoring.files.errors import DirectoryRefused, FileRefused

LONGEST_PATH_BYTES = 1024  # of a path within its directory; longer ones are left out
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not hold us up


@dataclass(frozen=True, slots=True)
class Stat:
    """What tells that a file is as it was: equal stats, equal content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> "Stat":
        # Some filesystems use all 64 bits of an inode; the database has 63.
        inode = found.st_ino & (2**63 - 1)
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, inode)


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a directory. path is relative; problem: why it is refused; is_alias: a link to
    what is seen under its own name anyway."""

    path: str
    found: os.stat_result
    problem: str = ""
    is_alias: bool = False

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.found.st_mode)


def roots() -> list[Path]:
    """The directories of FILE_WATCH_ROOTS, with links resolved."""
    return [Path(os.path.realpath(root)) for root in settings.FILE_WATCH_ROOTS]


def directory_check(directory: str) -> str:
    """The directory in its plain form. It need not exist yet. Raises DirectoryRefused."""
    path = Path(directory.strip())
    if "\x00" in directory or not path.is_absolute():
        raise DirectoryRefused("the directory must be an absolute path")
    if ".." in path.parts:
        raise DirectoryRefused("the directory must not step up by .. in its path")
    if len(os.fsencode(path)) > LONGEST_PATH_BYTES:
        raise DirectoryRefused("the directory has too long a path")
    _root_of(Path(os.path.realpath(path)))
    return str(path)


def _root_of(real: Path) -> Path:
    for root in roots():
        if real == root or root in real.parents:
            return root
    allowed = ", ".join(settings.FILE_WATCH_ROOTS) or "none"
    raise DirectoryRefused(
        f"the directory does not lie within the allowed ones (FILE_WATCH_ROOTS: {allowed})"
    )


class Place:
    """An open directory of a rule. Use as a context manager; of one thread at a time.

    Raises DirectoryRefused if it lies outside of FILE_WATCH_ROOTS by now, OSError if it cannot be
    opened (FileNotFoundError: it is not there).
    """

    def __init__(self, directory: str) -> None:
        self.path = Path(os.path.realpath(directory_check(directory)))
        root = _root_of(self.path)
        self.fd = os.open(root, _DIRECTORY)
        try:
            for part in self.path.relative_to(root).parts:
                self.fd = _step(self.fd, part)
            found = os.fstat(self.fd)
        except BaseException:
            os.close(self.fd)
            raise
        self.identity = (found.st_dev, found.st_ino)
        self._near: tuple[str, int] = ("", -1)  # the directory that was opened last

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._forget_near()
        os.close(self.fd)

    def stat(self, path: str) -> Entry | None:
        """What is there under a relative path; None: nothing, or the way to it is no directory."""
        parent, _, name = path.rpartition("/")
        try:
            found = os.stat(name, dir_fd=self._directory(parent), follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return self._entry(path, found)

    def open(self, path: str) -> BinaryIO:
        """Open an ordinary file to read. Raises FileRefused, OSError."""
        parent, _, name = path.rpartition("/")
        try:
            fd = os.open(name, _FILE, dir_fd=self._directory(parent))
        except OSError as exc:
            if exc.errno in {errno.ELOOP, errno.ENXIO}:
                raise FileRefused("it is a link or no ordinary file") from None
            raise
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise FileRefused("it is no ordinary file")
        return os.fdopen(fd, "rb", buffering=0)

    def directory_of(self, path: str) -> int:
        """A descriptor of the directory that holds a path; the caller closes it. Raises OSError."""
        return os.dup(self._directory(path.rpartition("/")[0]))

    def walk(self, start: str = "", *, recursive: bool) -> Iterator[Entry]:
        """Everything below, a directory before what is in it. Hidden directories are left out.

        What vanishes meanwhile is passed over; a directory that cannot be read is an entry with a
        problem. Memory: the names of directories still to come.
        """
        ahead = [start]
        while ahead:
            here = ahead.pop()
            try:
                fd = os.dup(self._directory(here))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except PermissionError as exc:
                if here == start:
                    raise
                yield from self._shut(here, exc)
                continue
            try:
                for entry in self._scan(here, fd):
                    if not entry.is_directory:
                        yield entry
                    elif recursive and not entry.path.rpartition("/")[2].startswith("."):
                        ahead.append(entry.path)
            finally:
                os.close(fd)

    def _scan(self, here: str, fd: int) -> Iterator[Entry]:
        with os.scandir(fd) as names:
            for name in names:
                path = f"{here}/{name.name}" if here else name.name
                with suppress(FileNotFoundError):
                    yield self._entry(path, name.stat(follow_symlinks=False))

    def _shut(self, path: str, exc: OSError) -> Iterator[Entry]:
        entry = self.stat(path)
        if entry is not None:
            yield Entry(path, entry.found, exc.strerror or type(exc).__name__)

    def _entry(self, path: str, found: os.stat_result) -> Entry:
        if stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
            return Entry(path, found)
        if not stat.S_ISLNK(found.st_mode):
            return Entry(path, found, "It is no ordinary file.")
        target = Path(os.path.realpath(self.path / path))
        if self.path in target.parents:
            return Entry(path, found, is_alias=True)
        return Entry(path, found, "It is a link that leads out of the directory.")

    def _directory(self, path: str) -> int:
        """A descriptor that is ours: of the directory itself, or of one below it."""
        if not path:
            return self.fd
        if self._near[0] != path:
            fd = os.dup(self.fd)
            try:
                for part in path.split("/"):
                    fd = _step(fd, part)
            except BaseException:
                os.close(fd)
                raise
            self._forget_near()
            self._near = (path, fd)
        return self._near[1]

    def _forget_near(self) -> None:
        if self._near[1] >= 0:
            os.close(self._near[1])
        self._near = ("", -1)


def _step(fd: int, part: str) -> int:
    """From one directory into the next. Closes the former; on an error the caller still owns it."""
    if part in {"", ".", ".."}:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), part)
    try:
        below = os.open(part, _DIRECTORY, dir_fd=fd)
    except OSError as exc:
        if exc.errno == errno.ELOOP:  # a link where a directory was
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), part) from None
        raise
    os.close(fd)
    return below
