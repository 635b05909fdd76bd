"""`python -m config.run.farewell STATUS`: waits until the embedded servers are gone, then exits so.

The last step of `make run`, in place of its process: that one counted as a user of the servers, and
this one does not. They end by themselves when their last user has; here somebody sees it through.
"""

import sys
import time
from dataclasses import astuple

import psutil
from django.conf import settings

from config import embedded

NOTICED_S = 2.0  # by then the keeper has seen that nobody is left, if so
GONE_S = 20.0
LOOK_S = 0.05


def main(status: int) -> int:
    """Returns the status, sooner or later: servers that others use are left alone."""
    found = embedded.status(settings.DATA_DIR)
    pids = [pid for pid in astuple(found) if pid]
    begin = time.monotonic()
    while any(_is_alive(pid) for pid in pids):
        waited_s = time.monotonic() - begin
        if waited_s > GONE_S:
            break
        if waited_s > NOTICED_S and embedded.status(settings.DATA_DIR) == found:
            break
        time.sleep(LOOK_S)
    return status


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # not every pid 1 reaps
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
