"""The content whose change was recorded, as an action gets it: a copy, or the reason why not."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from django.conf import settings

from monitoring.files.actions import ActionFailed, ActionRefused, ActionSkipped
from monitoring.files.errors import DirectoryRefused, FileMoving, FileRefused
from monitoring.files.places import Place
from monitoring.files.sight import digest
from monitoring.files.words import sentence

_IN_MEMORY = 4 * 1024 * 1024


def content_none() -> Any:
    raise TypeError("an action for whole batches reads no files")


@contextmanager
def content_copy(directory: str, path: str, sha256: str | None) -> Iterator[BinaryIO]:
    """A copy of the recorded content, so that nobody can change it while it is worked on."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
        try:
            with Place(directory) as place, place.open(path) as file:
                _size_check(place, path)
                _, found = digest(file, path, lambda: None, copy)  # type: ignore[arg-type]
        except FileNotFoundError:
            raise ActionSkipped("It was gone before it could be read.") from None
        except (FileRefused, DirectoryRefused) as exc:
            raise ActionRefused(sentence(exc)) from None
        except FileMoving:
            raise ActionFailed("It is being written to.") from None
        except OSError as exc:
            raise ActionFailed(sentence(exc)) from None
        if found != sha256:
            raise ActionSkipped("It has changed since; that change has a line of its own.")
        copy.seek(0)
        yield copy  # type: ignore[misc]


def _size_check(place: Place, path: str) -> None:
    entry = place.stat(path)
    if entry is not None and entry.found.st_size > settings.FILE_MAX_BYTES:
        size = entry.found.st_size
        raise ActionRefused(
            f"It has {size:,} bytes; an action reads {settings.FILE_MAX_BYTES:,} at most "
            "(FILE_MAX_BYTES)."
        )
