"""python -m benchmarks.ours.pulse COUNT: enqueue single jobs at odd moments, each its own transaction.

Prints {"sent": [ns, ...]}: CLOCK_MONOTONIC before each call, so that its commit counts too.
"""

import json
import os
import random
import sys
import threading
from time import monotonic_ns

import django


def main(count: int) -> None:
    """Enqueue and report. The pauses are random, so that no beat of the pool is hit again and again."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from benchmarks.ours.tasks import noop

    chance = random.Random(20261122)
    pause = threading.Event()
    sent = []
    for n in range(count):
        pause.wait(chance.uniform(0.03, 0.12))
        sent.append(monotonic_ns())
        noop.enqueue(n=n)
    print(json.dumps({"sent": sent}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
