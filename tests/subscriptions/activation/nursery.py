"""A process whose children die where a test says: `python -m tests.subscriptions.activation.nursery`.

It sets Django up once, on the database of the test that is told in NURSERY_DATABASE, and forks a child
per order, so that fifty deaths cost as much as one start. Reads a JSON list [act, argument, fault] per
line; answers with how the child ended: a number of a signal as negative, else its status.
"""

import json
import os
import signal
import sys
import traceback
from typing import IO
from uuid import UUID

import django
from django.db import connections

from jobs import faults


def pay_it(payment_id: str) -> None:
    """The provider says that it is paid."""
    from payments.models import Payment
    from tests.subscriptions.buyers import pay

    pay(Payment.objects.get(pk=UUID(payment_id)))


def work(_: str) -> None:
    """Run what is due, as a worker does."""
    from jobs.testing import drain

    drain(queues=["notifications"])


ACTS = {"pay": pay_it, "work": work}


def serve(orders: IO[str], replies: IO[str]) -> None:
    """Until the orders end."""
    replies.write("{}\n")
    replies.flush()
    for line in orders:
        act, argument, point = json.loads(line)
        child = os.fork()
        if child == 0:
            live(act, argument, point)
        _, status = os.waitpid(child, 0)
        replies.write(f"{os.waitstatus_to_exitcode(status)}\n")
        replies.flush()


def live(act: str, argument: str, point: str) -> None:
    """The life of a child: one act, struck at one point."""
    status = 1
    try:
        faults._strikes.clear()
        if point:
            faults._strikes[point] = (signal.SIGKILL, 1.0)
        ACTS[act](argument)
        status = 0
    except BaseException:  # noqa: BLE001 - the child must end here, whatever it is
        traceback.print_exc()
    finally:
        os._exit(status)


def main() -> None:
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # log lines must not look like answers
    django.setup()
    connections["default"].settings_dict["NAME"] = os.environ["NURSERY_DATABASE"]
    serve(sys.stdin, replies)


if __name__ == "__main__":
    main()
