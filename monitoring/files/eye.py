"""A thread that hears from the kernel (through watchfiles) where something happens in a directory.

It only collects hints. What the kernel drops when too much happens at once, and what it never tells on
network filesystems, is found by the looks at everything that the watch makes anyway.
"""

import logging
import threading
from collections.abc import Iterator

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

logger = logging.getLogger("switchboard.files")


class Eye:
    """Watches from `start` on, until `close`. What goes wrong is in `problem`, and is tried again.

    Each time that it begins to hear it asks for a look at everything: what happened before is found so.
    """

    def __init__(self, directory: str, hints: Hints, *, recursive: bool) -> None:
        self.problem = ""
        self._directory = directory
        self._hints = hints
        self._recursive = recursive
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="files-eye", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ask it to end; does not wait."""
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
            # Whatever the library raises (also RuntimeError from Rust, for a name that is no UTF-8, or
            # when the kernel has no more watches to give), the looks at everything go on.
            except Exception as exc:  # noqa: BLE001
                self.problem = f"{type(exc).__name__}: {exc}"[:300]
                logger.warning("events of a directory are lost", extra={"reason": self.problem})
                self._hints.add_whole()
                self._stop.wait(PAUSE_S[min(failures, len(PAUSE_S) - 1)])
                failures += 1

    def _heard(self) -> Iterator[list[str]]:
        for found in watch(
            self._directory,
            watch_filter=None,
            debounce=STEP_MS,
            step=STEP_MS,
            rust_timeout=HEARD_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
            recursive=self._recursive,
            force_polling=True if settings.FILE_WATCH_POLLING else None,
            ignore_permission_denied=True,
        ):
            yield [path for _, path in found]

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
