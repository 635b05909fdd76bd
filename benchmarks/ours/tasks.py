"""The no-op that the suite times; the same instrument as in the peers."""

from benchmarks.tally import mark
from jobs.ladders import QUEUE
from jobs.registry import job


@job("bench.noop", retry=QUEUE)
def noop(n: int) -> None:
    """Do nothing but write down that it ran."""
    mark(n)
