"""What the services know, in one file, so that a restart finds their world as it was.

Only with SANDBOX_FILE. All of it is written in one move, at one moment: when the program stops, and
from time to time, so that a program that is killed loses a second or so. Counters, journals, ordered faults
and webhooks of the panel that are on their way are not kept.
"""

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tests.sandbox.service import Service

EVERY_S = 0.5
SHARE = 50  # writing takes at most this part of the time
# Numbers that were given away after the last writing are never given to anybody else.
ID_GAP = 10_000
FORM = 1  # of the file


class Keeper:
    """Reads the file at the start and writes it from then on. Without a path it does nothing."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self._services = services
        path = os.environ.get("SANDBOX_FILE")
        self._path = Path(path) if path else None
        self._written = b""
        self._task: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Put the world of the file into the empty services.

        A file that cannot be read is put aside, and the world begins anew: said on stderr.
        """
        if self._path is None or not self._path.exists():
            return
        try:
            self._restore(orjson.loads(self._path.read_bytes()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            aside = self._path.with_suffix(".unread")
            self._path.replace(aside)
            sys.stderr.write(f"sandbox: cannot read {self._path}, now {aside.name}: {error!r}\n")
            for service in self._services.values():
                service.reset()

    def start(self) -> None:
        """Write from now on, beside the calls. Needs a running event loop."""
        if self._path is not None:
            self.save()
            self._task = asyncio.get_running_loop().create_task(self._run())

    def save(self, *, is_last: bool = False) -> None:
        """Write if anything is different from the last time. is_last: nothing happens after it."""
        if self._path is None:
            return
        kept = {name: service.kept() for name, service in self._services.items()}
        content = orjson.dumps(
            {"form": FORM, "is_last": is_last, "services": kept},
            option=orjson.OPT_NON_STR_KEYS,
            default=str,  # amounts
        )
        mark = hashlib.blake2b(content).digest()
        if mark == self._written:
            return
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(self._path)
        self._written = mark

    async def _run(self) -> None:
        took_s = 0.0
        while True:
            await asyncio.sleep(max(EVERY_S, took_s * SHARE))
            began = time.perf_counter()
            try:
                self.save()
            except OSError as error:  # a full disk, say: the next time may be better
                sys.stderr.write(f"sandbox: cannot write {self._path}: {error}\n")
            took_s = time.perf_counter() - began

    def _restore(self, content: dict[str, Any]) -> None:
        if content["form"] != FORM:
            raise ValueError(f"form {content['form']} is not known here")
        id_gap = 0 if content["is_last"] else ID_GAP
        for name, service in self._services.items():
            kept = content["services"].get(name)
            if kept is not None:
                service.restore(kept, id_gap=id_gap)
