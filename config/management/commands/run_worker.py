"""`manage.py run_worker NAME`: one named periodic worker in the foreground (requirement J12).

Each tick runs one job of the kind. NOTIFICATIONS_BROADCAST_INTERVAL and its like (the name in capitals,
dots as underscores; INTERVAL, JITTER, BATCH_LIMIT, IMMEDIATE) give the defaults of the options.
"""

import random
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections

from config import env
from jobs.errors import JobNotRetryable
from jobs.foreground import Foreground
from jobs.pool.memory import Flag
from jobs.registry import JobKind, kind_find, kinds
from lib.errors import DomainError

DEFAULT_INTERVAL = "60s"


class Command(BaseCommand):
    help = (
        "Runs one periodic worker by its name until it is stopped: run_worker telegram.drain_queue"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="a kind of job, such as telegram.drain_queue")
        parser.add_argument("--interval", help="seconds (or 30s, 5m) between ticks")
        parser.add_argument("--jitter", help="so many seconds more or less")
        parser.add_argument(
            "--batch-limit", type=int, help="most items per tick, if the kind has a limit"
        )
        parser.add_argument("--immediate", choices=["0", "1"], help="first tick at once")
        parser.add_argument("--ticks", type=int, default=0, help="end after so many; 0: never")

    def handle(self, *args: Any, **options: Any) -> None:
        kind = kind_find(options["name"])
        if kind is None:
            names = ", ".join(found.name for found in kinds())
            raise CommandError(f"there is no worker {options['name']!r}; there are {names}")
        prefix = kind.name.upper().replace(".", "_")
        interval = _seconds(options["interval"], f"{prefix}_INTERVAL", DEFAULT_INTERVAL)
        jitter = _seconds(options["jitter"], f"{prefix}_JITTER", "0")
        immediate = options["immediate"]
        at_once = (
            env.boolean(f"{prefix}_IMMEDIATE", default=True)
            if immediate is None
            else immediate == "1"
        )
        limit = options["batch_limit"] or env.integer(f"{prefix}_BATCH_LIMIT", 0, least=0)
        arguments = {"limit": limit} if limit and "limit" in kind.signature.parameters else {}
        stop = Flag()  # an Event's lock may be held by the very thread that handles the signal
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write(f"{kind.name}: a tick each {interval:g} s; stop with Ctrl-C")
        with Foreground(kind.name) as here:
            ticks = 0
            first = 0.0 if at_once else interval
            wait = first
            while not stop.wait(wait):
                self._tick(here, kind, arguments)
                ticks += 1
                if options["ticks"] and ticks >= options["ticks"]:
                    break
                wait = max(0.0, interval + random.uniform(-jitter, jitter))  # noqa: S311 - no secret
        connections.close_all()
        self.stdout.write(f"{kind.name}: stopped after {ticks} ticks")

    def _tick(self, here: Foreground, kind: JobKind[Any], arguments: dict[str, Any]) -> None:
        """One job. What goes wrong with one tick must not end the worker."""
        try:
            job = here.run(kind, arguments)
        except JobNotRetryable:
            self.stdout.write(f"{kind.name}: the last tick still runs elsewhere; skipped")
        except DomainError as exc:
            raise CommandError(exc.message) from None
        except DatabaseError as exc:
            self.stderr.write(f"{kind.name}: the database is away: {type(exc).__name__}")
            connections.close_all()
        else:
            self.stdout.write(
                f"{kind.name}: {job.state} {job.result if job.result is not None else ''}"
            )


def _seconds(given: str | None, name: str, default: str) -> float:
    if given is None:
        return env.span(name, default).total_seconds()
    try:
        return float(given)
    except ValueError:
        raise CommandError(f"{given!r} is no number of seconds") from None
