"""django-q2 has no bulk call. One broker object for all calls, as its guide advises."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django_q.brokers import get_broker  # noqa: E402  (needs the apps)
from django_q.tasks import async_task  # noqa: E402


def one(jobs):
    broker = get_broker()
    for n in range(jobs):
        async_task("app.noop", n, broker=broker)
