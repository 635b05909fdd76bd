"""The job platform: declared kinds are found in every app's `tasks.py`, words in its `audit_words.py`."""

import logging
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules

from lib.partitions import partitioned_table


class JobsConfig(AppConfig):
    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import jobs.enqueue  # noqa: F401 - so that kinds can be enqueued
        from jobs.context import JobLogHandler
        from jobs.history import COLUMN, TABLES
        from jobs.progress import batches

        autodiscover_modules("tasks", "audit_words")
        batches.register()
        for table in TABLES:
            partitioned_table(table, COLUMN)  # jobs.keep_history drops its days
        handler = JobLogHandler(logging.INFO)
        if not any(isinstance(known, JobLogHandler) for known in logging.root.handlers):
            logging.root.addHandler(handler)
        # After the last app, so that the tables of django-q2 exist.
        post_migrate.connect(_declare, dispatch_uid="jobs.declare")


def _declare(sender: AppConfig, **kwargs: Any) -> None:
    """Write queues, history partitions and schedules as the code declares them."""
    if sender.name != "django_q":
        return
    from jobs.history import days_prepare
    from jobs.models import Queue
    from jobs.schedules import schedules_declare

    names = dict.fromkeys(settings.JOBS["queues"], False) | dict.fromkeys(
        settings.JOBS["external_queues"], True
    )
    Queue.objects.bulk_create(
        [Queue(name=name, is_external=external) for name, external in names.items()],
        ignore_conflicts=True,
    )
    days_prepare()
    schedules_declare()
