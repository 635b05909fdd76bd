"""`manage.py move_clock 6h`: let time pass for every process that shares the CLOCK_FILE, in trials."""

from argparse import ArgumentParser
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lib import clock, durations
from lib.http import HttpDoor


class Command(BaseCommand):
    help = "Move the clock of all processes forward by a span such as 6h or 1d (needs CLOCK_FILE)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("span", help="how far: 30m, 6h, 1d")

    def handle(self, *_: Any, span: str, **__: Any) -> None:
        try:
            moved = clock.move(durations.parse(span))
        except (clock.ClockFixed, ValueError) as exc:
            raise CommandError(str(exc)) from None
        if settings.SANDBOX_URL:
            self._tell_sandbox(moved.total_seconds())
        self.stdout.write(
            f"It is {clock.now():%Y-%m-%d %H:%M} UTC now, {moved.total_seconds() / 3600:g} h ahead."
        )

    def _tell_sandbox(self, offset_s: float) -> None:
        """The panel and the provider of a trial live in the same time."""
        with HttpDoor("sandbox", settings.SANDBOX_URL) as door:
            answer = door.request("PUT", "/_sandbox/clock", json={"offset_s": offset_s})
        if answer.status != HTTPStatus.OK:
            raise CommandError(f"The sandbox refused the time: {answer.status}.")
