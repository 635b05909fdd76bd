"""A process that enqueues jobs as a web process would: `python -m tests.processes.caller`.

Reads a JSON list [function, args, kwargs] of tests/processes/acts.py per line, answers with a JSON
line {"value"} or {"error", "reason"}. A lost database is an error of one call, not of the process.
"""

import json
import os
import sys
from typing import IO

import django
from django.db import close_old_connections, connection

from config.start import start


def serve(orders: IO[str], replies: IO[str]) -> None:
    """Until the orders end."""
    from tests.processes import acts  # after django.setup

    replies.write("{}\n")
    replies.flush()
    for line in orders:
        name, args, kwargs = json.loads(line)
        if not connection.in_atomic_block:
            close_old_connections()  # as before each request
        try:
            reply = {"value": getattr(acts, name)(*args, **kwargs)}
        except Exception as exc:  # noqa: BLE001 - told to the test, which raises it
            reply = {"error": type(exc).__name__, "reason": str(exc)}
            connection.close()
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def main() -> None:
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # log lines must not look like answers
    start(servers=True)
    django.setup()
    serve(sys.stdin, replies)


if __name__ == "__main__":
    main()
