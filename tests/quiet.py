"""For servers that many tests share: no thread that counts, and writes its counts during the next test."""

import threading

from django.apps import AppConfig

QUIET = "tests.quiet.QuietConfig"  # for SWITCHBOARD_EXTRA_APPS


class QuietConfig(AppConfig):
    name = "tests"
    label = "tests_quiet"

    def ready(self) -> None:
        from jobs import stats

        stats._flusher = threading.Timer(0, stats.flush)  # never started
