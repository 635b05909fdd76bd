"""Celery has no bulk call: a group sends its messages one by one."""

from app import noop


def one(jobs):
    for n in range(jobs):
        noop.delay(n)
