"""taskiq on Redis Streams."""

import os

from taskiq.serializers import ORJSONSerializer
from taskiq_redis import RedisStreamBroker

from benchmarks.tally import mark

if os.environ["BENCH_TUNED"] == "1":
    broker = RedisStreamBroker(os.environ["BENCH_REDIS_URL"], xread_count=500)
    broker = broker.with_serializer(ORJSONSerializer())
else:
    broker = RedisStreamBroker(os.environ["BENCH_REDIS_URL"])


@broker.task(task_name="noop")
async def noop(n: int) -> None:
    """A coroutine: taskiq runs it on the loop; a plain function would cost a thread hand-over."""
    mark(n)
