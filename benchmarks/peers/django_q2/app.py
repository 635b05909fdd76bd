"""The no-op task of stock django-q2."""

from benchmarks.tally import mark


def noop(n: int) -> None:
    mark(n)
