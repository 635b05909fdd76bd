"""Celery on Redis. No result backend; when a job is acknowledged stays as it ships (early)."""

import os

from celery import Celery

from benchmarks.tally import mark

app = Celery("bench", broker=os.environ["BENCH_REDIS_URL"].replace("unix://", "redis+socket://"))
if os.environ["BENCH_TUNED"] == "1":
    app.conf.update(
        task_ignore_result=True,
        worker_prefetch_multiplier=64,
        worker_disable_rate_limits=True,
        worker_enable_remote_control=False,
    )


@app.task(name="noop")
def noop(n: int) -> None:
    mark(n)
