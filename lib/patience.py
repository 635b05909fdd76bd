"""Changes that need a whole table for a moment, without making those wait who use it.

Who waits for a table makes all others wait behind, however short their own business is. So we wait
LOCK_MS at most, let the others through, and try again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg import errors

LOCK_MS = 30
TRIES = 25
PAUSE_S = 0.2  # between two tries: whoever waited behind us gets through meanwhile


class TableBusy(RuntimeError):
    """Somebody holds the table for long; nothing has changed, so try again later."""


def patiently(table: str, change: Callable[[], Any]) -> None:
    """Do it in a transaction, again from the start until its locks are had. Raises TableBusy."""
    for turn in range(TRIES):
        if turn:
            time.sleep(PAUSE_S)
        try:
            with transaction.atomic(), _short_waits():
                change()
        except OperationalError as exc:
            if not isinstance(exc.__cause__, errors.LockNotAvailable):
                raise
        else:
            return
    raise TableBusy(f"{table} is held by somebody for long; try again later")


@contextmanager
def _short_waits() -> Iterator[None]:
    """No lock is waited for longer than LOCK_MS, in this transaction until the end of the block."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_MS}ms"])
        yield  # after an error the transaction is rolled back, and with it the setting
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])
