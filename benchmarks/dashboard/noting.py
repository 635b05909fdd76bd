"""Commits events, as a job of the site would: a JSON line {number, picture} in, {committed_ns} out."""

import json
import os
import sys
from functools import partial
from time import monotonic_ns

import django


def _stamp(moments: list[int]) -> None:
    moments.append(monotonic_ns())


def main() -> None:
    """Serve orders until stdin closes."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    django.setup()
    from django.db import transaction

    from monitoring.dashboard.events import event_note
    from monitoring.dashboard.refreshing import snapshot_refresh

    for line in sys.stdin:
        order = json.loads(line)
        committed: list[int] = []
        if order["picture"]:
            snapshot_refresh()
        with transaction.atomic():
            transaction.on_commit(partial(_stamp, committed))
            event_note("bench", f"bench {order['number']}", "/admin/", "warning")
        replies.write(json.dumps({"committed_ns": committed[0]}) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
