"""The content whose change was recorded, as an action gets it: a copy, or the reason why not."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.conf import settings

from monitoring.files.actions import ActionFailed, ActionRefused, ActionSkipped
from monitoring.files.errors import DirectoryRefused, FileMoving, FileRefused
from monitoring.files.models import WatchedFile
from monitoring.files.places import Place
from monitoring.files.sight import digest
from monitoring.files.words import sentence, words

_IN_MEMORY = 4 * 1024 * 1024
_MOVES = 10  # that are followed; more within one wait is a game


class ContentMissing(ActionFailed):
    """It is not there, and the watcher has not said yet where it went."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which content. takes_newer: also what the file holds by now, since no other change will."""

    rule_id: int
    directory: str
    path: str
    sha256: str | None
    takes_newer: bool


def content_none() -> Any:
    raise TypeError("an action for whole batches reads no files")


@contextmanager
def content_copy(wanted: Wanted) -> Iterator[BinaryIO]:
    """A copy of the recorded content, so that nobody can change it while it is worked on.

    Raises ActionSkipped, ActionRefused, ActionFailed. One query if the file is not where it was.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
        try:
            place = Place(wanted.directory)
        except DirectoryRefused as exc:
            raise ActionRefused(sentence(exc)) from None
        except OSError as exc:  # perhaps only this worker does not see it
            raise ActionFailed(f"{wanted.directory} cannot be opened: {words(exc)}") from None
        with place:
            found = _copied(place, wanted, copy)  # type: ignore[arg-type]
        if found != wanted.sha256 and not wanted.takes_newer:
            raise ActionSkipped("It has changed since; that change has a line of its own.")
        copy.seek(0)
        yield copy  # type: ignore[misc]


def _copied(place: Place, wanted: Wanted, copy: BinaryIO) -> str:
    """The hash of what was copied. A file that was moved meanwhile is followed."""
    path = wanted.path
    for _ in range(_MOVES):
        try:
            with place.open(path) as file:
                _size_check(place, path)
                return digest(file, path, lambda: None, copy)[1]
        except (FileNotFoundError, NotADirectoryError):
            path = _moved_to(wanted.rule_id, path)
        except FileRefused as exc:
            raise ActionRefused(sentence(exc)) from None
        except FileMoving:
            raise ActionFailed("it is being written to") from None
        except OSError as exc:
            raise ActionFailed(sentence(exc)) from None
    raise ContentMissing("it is moved again and again")


def _moved_to(rule_id: int, path: str) -> str:
    row = WatchedFile.objects.filter(rule=rule_id, path=path).only("state", "moved_to").first()
    if row is None or (row.state == WatchedFile.State.DELETED and not row.moved_to):
        raise ActionSkipped("It was gone before it could be read.")
    if row.state != WatchedFile.State.DELETED or not row.moved_to:
        raise ContentMissing("it is not there any more")
    return row.moved_to


def _size_check(place: Place, path: str) -> None:
    entry = place.stat(path)
    if entry is not None and entry.found.st_size > settings.FILE_MAX_BYTES:
        size = entry.found.st_size
        raise ActionRefused(
            f"It has {size:,} bytes; an action reads {settings.FILE_MAX_BYTES:,} at most "
            "(FILE_MAX_BYTES)."
        )
