"""Real `manage.py watch_files` processes on a scratch site, and what they have recorded."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.processes.cluster import _die_with_us
from tests.processes.site import PROJECT, Site
from tests.processes.waiting import until


class WatcherProcess:
    """Starts at once; `end` leaves nothing of it."""

    def __init__(self, site: Site, log: Path, environment: dict[str, str]) -> None:
        self._site = site
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "watch_files"],
                cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, preexec_fn=_die_with_us,  # noqa: PLW1509 - one call of the kernel
            )  # fmt: skip
        self.pid = self.process.pid

    def leads(self) -> bool:
        return bool(
            self._site.value(
                "SELECT count(*) FROM files_watcher WHERE pid = %s AND is_leading AND stopped_at IS NULL",
                [self.pid],
            )
        )

    def is_known(self) -> bool:
        query = "SELECT count(*) FROM files_watcher WHERE pid = %s AND stopped_at IS NULL"
        return bool(self._site.value(query, [self.pid]))

    def wait_leading(self) -> "WatcherProcess":
        until(self.leads, "the watcher leads")
        return self

    def kernel_watches(self) -> int:
        """How many directories the kernel watches for it (proc_pid_fdinfo(5))."""
        count = 0
        for info in Path(f"/proc/{self.pid}/fdinfo").iterdir():
            try:
                count += info.read_text().count("inotify wd:")
            except FileNotFoundError:
                continue
        return count

    def kill(self, number: int = signal.SIGKILL) -> int:
        os.kill(self.pid, number)
        return self.process.wait(60)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)


class Folder:
    """A watched directory of a site with its rule."""

    def __init__(self, site: Site, path: Path, **fields: Any) -> None:
        self.site = site
        self.path = path
        given = {
            "name": path.name,
            "directory": str(path),
            "patterns": ["*.csv"],
            "is_recursive": False,
            "debounce_ms": 200,
            "changes": ["added", "modified", "moved", "deleted"],
            "takes_existing": True,
            "action": "telegram",
            "options": json.dumps({"chat": 500, "language": "en"}),
            **fields,
        }
        names = [*given, "version", "created_by", "problem", "note"]
        totals = ["batches", "files", "done", "failed", "skipped", "rejected"]
        self.rule_id = site.value(
            f"""INSERT INTO files_rule ({", ".join([*names, *totals])}, created_at, updated_at)
            VALUES ({", ".join(["%s"] * (len(names) + len(totals)))}, now(), now()) RETURNING id""",
            [*given.values(), 1, "", "", "", *[0] * len(totals)],
        )

    def wait_scanned(self) -> None:
        """The watcher has looked at all of it at least once, and listens."""
        query = "SELECT scanned_at FROM files_rule WHERE id = %s"
        until(lambda: self.site.value(query, [self.rule_id]), "the first look")

    def events(self) -> Counter[tuple[str, str]]:
        """How often each (change, path) was recorded."""
        return Counter(
            self.site.rows("SELECT change, path FROM files_event WHERE file_id IN "
                "(SELECT id FROM files_file WHERE rule_id = %s)", [self.rule_id])
        )  # fmt: skip

    def batches(self) -> list[int]:
        """How many files each batch has, oldest first."""
        query = "SELECT total FROM files_batch WHERE rule_id = %s ORDER BY id"
        return [row[0] for row in self.site.rows(query, [self.rule_id])]

    def wait_for(self, count: int, what: str = "changes are recorded") -> Counter[tuple[str, str]]:
        """Until so many changes are recorded."""
        until(lambda: self.events().total() >= count, f"{count} {what}")
        return self.events()

    def pass_by(self) -> None:
        """Until the watcher has taken a file that is written now: what came before was seen, too."""
        probe = self.path / f"probe-{os.urandom(4).hex()}.csv"
        probe.write_text(probe.name)
        until(lambda: self.events()["added", probe.name], "the probe is taken")
