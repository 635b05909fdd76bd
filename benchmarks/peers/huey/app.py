"""huey on a Redis list."""

import os

from huey import RedisHuey

from benchmarks.tally import mark

tuned = {"results": False} if os.environ["BENCH_TUNED"] == "1" else {}
huey = RedisHuey("bench", url=os.environ["BENCH_REDIS_URL"], **tuned)


@huey.task()
def noop(n: int) -> None:
    mark(n)
