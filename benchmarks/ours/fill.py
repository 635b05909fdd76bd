"""python -m benchmarks.ours.fill HOW SHAPE JOBS: enqueue no-op jobs and print {"seconds": s}.

HOW: one (a call after another, each its own transaction) or bulk (enqueue_many, packs of 5,000).
SHAPE: plain, keys (1,000 partition keys), hot (one key with 50,000 jobs before everybody else's).
"""

import json
import os
import sys
import time

import django

HOT = 50_000
PACK = 5_000


def hot_jobs(count: int) -> int:
    """How many of so many jobs have the hot key, in the shape hot."""
    return min(HOT, count // 2)


def main(how: str, shape: str, count: int) -> None:
    """Enqueue and report."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks.ours.tasks import noop
    from jobs.enqueue import enqueue_many

    def call(n: int) -> dict[str, object]:
        if shape == "keys":
            return {"n": n, "partition": f"key:{n % 1000}"}
        if shape == "hot" and n < hot_jobs(count):
            return {"n": n, "partition": "hot"}
        return {"n": n}

    started = time.perf_counter()
    if how == "one":
        for n in range(count):
            noop.enqueue(**call(n))
    else:
        for first in range(0, count, PACK):
            enqueue_many([(noop, call(n)) for n in range(first, min(first + PACK, count))])
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
