"""What a run of the life cycle's jobs costs, measured inside of a process of the site.

Prints one JSON object: seconds of each, how many notices, and the most memory that it took.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import django


def main() -> None:
    django.setup()
    from subscriptions.lifecycle import dues
    from subscriptions.lifecycle.expired import EXPIRED
    from subscriptions.lifecycle.sweeps import sweep_begin

    dues.reminders_write()  # connects, and meets nobody: the people come when we are told
    print("ready", flush=True)
    sys.stdin.readline()
    figures: dict[str, float] = {}

    def timed(name: str, act: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = act()
        figures[name] = time.perf_counter() - began
        return result

    written = timed("remind_s", dues.reminders_write)
    timed("packs_s", dues.packs_enqueue)
    timed("again_s", dues.reminders_write)
    ended = timed("expire_s", dues.expiries_write)
    sweep = timed("sweep_s", lambda: sweep_begin(EXPIRED))
    print(
        json.dumps(
            {
                **figures,
                "due": sum(each.due for each in written.values()),
                "ended": ended.due,
                "found": sweep.found if sweep else 0,
                "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
