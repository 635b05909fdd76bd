"""`manage.py simulate --days 30 --subscribers 10000`: a month of business, and a ledger that must balance."""

import os
import signal
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import embedded
from config.simulation.month import Month
from config.simulation.options import Options, SimulationFailed
from config.simulation.scratch import run_in_scratch
from subscriptions.models import Subscriber


class Command(BaseCommand):
    help = (
        "Run a simulated month against the sandbox: customers, faults, killed workers. "
        "Exits with 1 and the first offending rows if money, access and messages do not agree."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: ArgumentParser) -> None:
        known = Options()
        parser.add_argument("--days", type=int, default=known.days)
        parser.add_argument("--subscribers", type=int, default=known.subscribers)
        parser.add_argument("--seed", type=int, default=known.seed, help="the same month again")
        parser.add_argument(
            "--faults", action=BooleanOptionalAction, default=True, help="of the outside services"
        )
        parser.add_argument(
            "--kills", type=int, default=known.kills, help="workers that get SIGKILL while busy"
        )
        parser.add_argument("--workers", type=int, default=known.workers)
        parser.add_argument(
            "--sandbox",
            default="",
            help="address of a sandbox that runs; without it one is started",
        )
        parser.add_argument(
            "--here",
            action="store_true",
            help="on this database, which must be empty, instead of a scratch one; needs CLOCK_FILE",
        )
        parser.add_argument("--keep", action="store_true", help="keep the scratch database")

    def handle(self, *_: Any, here: bool, keep: bool, **given: Any) -> None:
        names = ("days", "subscribers", "seed", "kills", "workers", "sandbox")
        options = Options(has_faults=given["faults"], **{name: given[name] for name in names})
        try:
            options.check()
            status = self._run_here(options) if here else run_in_scratch(options, keep=keep)
        except SimulationFailed as exc:
            raise CommandError(str(exc)) from None
        if status:
            sys.exit(status)

    def _run_here(self, options: Options) -> int:
        """Raises SimulationFailed."""
        if not settings.DEBUG:
            raise SimulationFailed("DEBUG=0: this is no place for a simulation.")
        if not os.environ.get("CLOCK_FILE"):
            raise SimulationFailed("CLOCK_FILE is not set, so there is no clock to move.")
        embedded.ensure(
            settings.DATA_DIR, postgres=settings.EMBEDDED_POSTGRES, redis=settings.EMBEDDED_REDIS
        )
        if Subscriber.objects.exists():
            raise SimulationFailed(
                "There are subscribers already; the ledger needs a new database."
            )
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        logs = Path(settings.DATA_DIR) / "simulation"
        logs.mkdir(exist_ok=True)
        return 0 if Month(options, logs, self._say).run() else 1

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
