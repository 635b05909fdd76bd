"""dramatiq on Redis. Its tuning is in the command and in dramatiq_queue_prefetch."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.tally import mark

dramatiq.set_broker(RedisBroker(url=os.environ["BENCH_REDIS_URL"]))


@dramatiq.actor
def noop(n: int) -> None:
    mark(n)
