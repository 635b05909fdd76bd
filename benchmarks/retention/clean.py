"""One cleanup, inside of a process of the site. Waits for a line, prints {"took_s", "rows", "rss_mb"}."""

import json
import resource
import sys
import time

import django


def main(kind: str) -> None:
    django.setup()
    from jobs.testing import job_perform
    from reports.retention.models import RetentionRun

    RetentionRun.objects.count()  # connects
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    job_perform(kind)
    took = time.perf_counter() - began
    run = RetentionRun.objects.filter(kind=kind).latest("id")
    print(
        json.dumps(
            {
                "took_s": took,
                "state": run.state,
                "partitions": run.partitions,
                "rows": run.rows,
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
