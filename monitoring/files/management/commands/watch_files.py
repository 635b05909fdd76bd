"""`manage.py watch_files`: watches the directories of all file rules until it is stopped."""

import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from monitoring.files.watch import Watch


class Command(BaseCommand):
    help = (
        "Watches the directories of the file rules. Run one or more: one leads, the others stand by "
        "and take over. SIGTERM stops it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        own = settings.DATA_DIR / "drop"
        if str(own) in settings.FILE_WATCH_ROOTS:  # nobody has said where; so that there is a place
            Path(own).mkdir(parents=True, exist_ok=True)
        watch = Watch()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: watch.end())
        watch.run()
