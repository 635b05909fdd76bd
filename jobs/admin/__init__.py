"""The operators' console of the job platform. Django's admin imports this package at start."""

from django.contrib import admin
from django_q import admin as _theirs  # noqa: F401 - registers its models, taken out below
from django_q.models import Failure, OrmQ, Schedule, Success

from jobs import attention
from jobs.admin import audit, batches, breakers, jobs, queues, schedules, workers

__all__ = ["attention", "audit", "batches", "breakers", "jobs", "queues", "schedules", "workers"]

# The lists of django-q2 would mislead: its jobs are ours here, and its schedules have a page of ours.
for model in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
