"""`python -m config.run.farewell STATUS PID...`: waits until the processes are gone, then exits so.

The last step of `make run`, in place of its process: that one counted as a user of the embedded
servers, and this one does not. They end by themselves when their last user has; here somebody sees
it through.
"""

import sys
import time
from collections.abc import Collection

import psutil
from django.conf import settings

from config import embedded

NOTICED_S = 2.0  # by then the keeper has seen that nobody is left, if so
GONE_S = 20.0
LOOK_S = 0.05


def wait_gone(pids: Collection[int]) -> None:
    """Return when the keeper and the servers are gone; those that others use are left alone."""
    begin = time.monotonic()
    while any(_is_alive(pid) for pid in pids):
        waited_s = time.monotonic() - begin
        if waited_s > GONE_S:
            return
        if waited_s > NOTICED_S and embedded.status(settings.DATA_DIR).keeper_pid in pids:
            return
        time.sleep(LOOK_S)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # not every pid 1 reaps
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    status, *found = map(int, sys.argv[1:])
    wait_gone(found)
    sys.exit(status)
