"""The process that is measured: passes over the panel, as the job of the mirror makes them.

Prints a JSON line per ten pages and one at the end of a pass; reads from stdin which part comes next:
pass, or read (whoever was hinted at).
"""

import json
import sys
import time
from typing import Any

import django
import psutil


def main() -> None:
    """Serve the parts that are asked for until stdin closes."""
    django.setup()
    from subscriptions.panel import door

    client = door.panel_background()
    say("ready")
    for line in sys.stdin:
        part = line.strip()
        if part == "pass":
            walk(client)
        elif part == "read":
            follow(client)
    client.close()


def walk(client: Any) -> None:
    """One pass from its beginning to its end."""
    from subscriptions.mirror.passes import pass_begin, pass_run

    client.metadata()
    pages = 0

    def is_over() -> bool:
        nonlocal pages
        pages += 1
        if pages % 10 == 0:
            say("page", pages=pages)
        return False

    began = time.monotonic()
    ended = pass_run(client, pass_begin(client), is_over)
    assert ended is not None, "nobody stopped it"
    say(
        "pass",
        took_s=time.monotonic() - began,
        seen=ended.seen,
        created=ended.created,
        changed=ended.changed,
        error=ended.error,
    )


def follow(client: Any) -> None:
    """Read back whoever was hinted at."""
    from subscriptions.mirror.hints import hints_follow

    began, read = time.monotonic(), 0
    while (count := hints_follow(client)) > 0:
        read += count
    say("read", took_s=time.monotonic() - began, read=read)


def say(event: str, **figures: Any) -> None:
    """One line for the suite."""
    rss_mb = psutil.Process().memory_info().rss / 1e6
    print(json.dumps({"event": event, "rss_mb": rss_mb, **figures}), flush=True)


if __name__ == "__main__":
    main()
