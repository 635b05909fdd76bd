"""`manage.py run_job KIND [--arg value ...]`: run one job here and now, and show what came of it."""

import sys
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.foreground import Foreground
from jobs.models import State
from jobs.registry import kind_get, kinds
from lib.errors import DomainError


class Command(BaseCommand):
    help = (
        "Runs one job in the foreground: manage.py run_job jobs.noop --n 7. "
        "Values are JSON where they look like it, else text. Without a kind: lists all kinds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", nargs="?")
        parser.add_argument("args", nargs="*", help="--name value for each argument of the kind")

    def run_from_argv(self, argv: list[str]) -> None:
        """The kind's own options cannot be known to the parser: they are taken out before."""
        known = {"--settings", "--pythonpath", "--verbosity", "--traceback", "--help"}
        self.given, rest, words = {}, argv[:2], iter(argv[2:])
        for word in words:
            name, equals, value = word.partition("=")
            if not word.startswith("--") or name in known:
                rest.append(word)
            else:
                self.given[name[2:].replace("-", "_")] = value if equals else next(words, "")
        super().run_from_argv(rest)

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["kind"]:
            for kind in kinds():
                self.stdout.write(f"{kind.name:36} {kind.summary}")
            return
        try:
            with Foreground("run_job") as here:
                job = here.run(
                    kind_get(options["kind"]),
                    {name: _value(text) for name, text in getattr(self, "given", {}).items()},
                )
        except DomainError as exc:
            raise CommandError(exc.message) from None
        self.stdout.write(f"{job.kind} {job.pk} {job.state}, attempt {job.attempt}")
        if job.result is not None:
            self.stdout.write(orjson.dumps(job.result, option=orjson.OPT_INDENT_2).decode())
        if job.last_error:
            self.stderr.write(job.last_error)
        if job.state != State.COMPLETED:
            sys.exit(1)


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
