"""Enqueue JOBS no-op jobs with the product in the current folder and print {"seconds": s}.

    python enqueue.py one|bulk JOBS

The folder's send.py has `one(jobs)`, which makes the calls one after another as one client does,
and `bulk(jobs)` where the product has a way to send many at once.
"""

import json
import sys
import time

import send

how, jobs = sys.argv[1], int(sys.argv[2])
call = getattr(send, how)
started = time.perf_counter()
call(jobs)
print(json.dumps({"seconds": time.perf_counter() - started}))
