"""Letting deliveries be looked at as soon as a transaction commits. A hint: a sweep finds what it lost."""

from django.conf import settings

from jobs import sql
from notifications.webhooks.tasks import send_due


def wake() -> None:
    """NOTIFY holds no lock. Where it does not reach the pool (JOB_WAKE), the job is a row at once."""
    if settings.JOBS["wake"] == "notify":
        sql.run("SELECT pg_notify('jobs_wake', %s)", [send_due.name])
    else:
        send_due.enqueue()
