"""A thread that hears from the kernel (through watchfiles) where something happens in a directory.

It only collects hints. What the kernel drops when too much happens at once, and what it never tells on
network filesystems, is found by the looks at everything that the watch makes anyway.
"""

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from watchfiles import watch

from monitoring.files.hints import Hints
from monitoring.files.patterns import is_hidden

STEP_MS = 50
HEARD_MS = 500  # so long after it has begun to listen it says so, if nothing happens before
# A burst of so many events between two steps may have been more than the kernel keeps (its queue
# holds 16,384 events by default, proc/sys/fs/inotify/max_queued_events).
BURST = 4_000
PAUSE_S = (1.0, 2.0, 5.0, 10.0, 30.0)
END_S = 5.0
_NAME = "files-eye"

logger = logging.getLogger("switchboard.files")
logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it would tell of every event


class Eye:
    """Watches from `start` on, until `close`. What goes wrong is in `problem`, and is tried again.

    Each time that it begins to hear it asks for a look at everything: what happened before is found so.

    The library follows links to directories when it begins to watch a tree, so that one link to / would
    have it watch the whole machine; and it watches a tree with a directory that it may not open only if it
    may pass over all errors, also that the kernel has no more watches to give. Such trees are watched
    directory by directory instead, and anew when there are more of them.
    """

    def __init__(self, directory: str, hints: Hints, *, recursive: bool) -> None:
        self.problem = ""
        self._directory = directory
        self._hints = hints
        self._recursive = recursive
        self._listed: frozenset[str] | None = None  # directories, if they are watched one by one
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=_NAME, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ask it to end; does not wait. See eyes_join."""
        self._stop.set()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                is_new = True
                for paths in self._heard():
                    if is_new:
                        self._hints.add_whole(at_once=failures == 0)
                    is_new, failures, self.problem = False, 0, ""
                    self._tell(paths)
                    if self._is_outgrown(paths):
                        break
            # Whatever the library raises (also RuntimeError from Rust, for a name that is no UTF-8, or
            # when the kernel has no more watches to give), the looks at everything go on.
            except Exception as exc:  # noqa: BLE001
                self.problem = f"{type(exc).__name__}: {exc}"[:300]
                logger.warning("events of a directory are lost", extra={"reason": self.problem})
                self._hints.add_whole()
                self._stop.wait(PAUSE_S[min(failures, len(PAUSE_S) - 1)])
                failures += 1

    def _heard(self) -> Iterator[list[str]]:
        self._listed = directories_apart(self._directory) if self._recursive else None
        for found in watch(
            *(self._listed or [self._directory]),
            watch_filter=None,
            debounce=STEP_MS,
            step=STEP_MS,
            rust_timeout=HEARD_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
            recursive=self._recursive and self._listed is None,
            force_polling=True if settings.FILE_WATCH_POLLING else None,
            ignore_permission_denied=False,  # true would pass over every error (1.3.0)
        ):
            yield [path for _, path in found]

    def _is_outgrown(self, paths: list[str]) -> bool:
        """Is there a directory that nobody watches?"""
        listed = self._listed
        return listed is not None and any(
            path not in listed and _is_meant(path, Path(path).name) for path in paths
        )

    def _tell(self, paths: list[str]) -> None:
        if not paths:
            return
        if len(paths) >= BURST:
            self._hints.add_whole()
            return
        beginning = self._directory.rstrip("/") + "/"
        inside = [path[len(beginning) :] for path in paths if path.startswith(beginning)]
        if len(inside) < len(paths):  # the directory itself: moved, deleted, or made anew
            self._hints.add_whole()
        elif relevant := [path for path in inside if not is_hidden(path)]:
            self._hints.add(relevant)


def eyes_join() -> None:
    """Wait for eyes that were closed: an interpreter that ends while one is inside the library may hang."""
    for thread in threading.enumerate():
        if thread.name == _NAME:
            thread.join(END_S)


def directories_apart(top: str) -> frozenset[str] | None:
    """All directories of a tree that are to be watched, if it holds others: links to directories, hidden
    ones, those that cannot be opened. Else None: it can be watched as a tree."""
    found, is_plain = {top}, True
    for here, names, _ in os.walk(top):  # does not follow links
        meant = [name for name in names if _is_meant(f"{here}/{name}", name)]
        is_plain = is_plain and len(meant) == len(names)
        names[:] = meant
        found.update(f"{here}/{name}" for name in meant)
    return None if is_plain else frozenset(found)


def _is_meant(path: str, name: str) -> bool:
    is_seen = not name.startswith(".") and _is_text(name)
    return is_seen and not Path(path).is_symlink() and _can_be_opened(path)


def _can_be_opened(path: str) -> bool:
    """Is it a directory that we may read?"""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _is_text(name: str) -> bool:
    """The library takes UTF-8 only; what lies in others is left out by the looks as well."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
