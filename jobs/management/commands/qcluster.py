"""`manage.py qcluster`: django-q2's command, with our watchdog around its cluster."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from jobs.pool.watchdog import Watchdog


class Command(BaseCommand):
    help = "Runs the workers of the job platform. SIGTERM stops them gracefully."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=int, default=settings.WORKER_CONCURRENCY)

    def handle(self, *args: Any, **options: Any) -> None:
        from django_q.conf import Conf  # noqa: PLC0415 - reads the settings when imported

        Conf.WORKERS = options["workers"]
        sys.exit(Watchdog(options["workers"]).run())
