"""huey has no bulk call."""

from app import noop


def one(jobs):
    for n in range(jobs):
        noop(n)
