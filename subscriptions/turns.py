"""Taking turns at one subscriber: whoever reads an end, adds to it and writes it does so alone.

Jobs of one subscriber stand in one line (partition `subscriber:<id>`); a person who presses a button does
not. So both take the subscriber's turn, or the later of two writers would write over what the earlier
has added. A turn is a row that lapses, for no connection to the database is held while the panel is asked.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from jobs.compiled import rows_of
from lib.errors import Unavailable
from lib.ids import uuid7

SPAN = timedelta(minutes=2)  # longer than anybody asks the panel about one subscriber
PATIENCE = timedelta(seconds=5)
_POLL_S = 0.05
# Of all jobs of the line: one at a time anyway, so that the next takes over from one that was killed.
_LINE = UUID(int=1)

# By the clock of Postgres, which is never moved.
_TAKE = """
INSERT INTO subscriber_turn AS t (subscriber_id, token, until)
VALUES (%s, %s, clock_timestamp() + %s::interval)
ON CONFLICT (subscriber_id) DO UPDATE SET token = EXCLUDED.token, until = EXCLUDED.until
WHERE t.until <= clock_timestamp() OR t.token = EXCLUDED.token
RETURNING 1
"""
_GIVE_BACK = "DELETE FROM subscriber_turn WHERE subscriber_id = %s AND token = %s RETURNING 1"


class TurnTaken(Unavailable):
    """Somebody else changes this subscriber just now; try again in a moment."""

    code = "subscriber_busy"


@contextmanager
def turn(
    subscriber_id: int, *, in_line: bool = False, patience: timedelta | None = None
) -> Iterator[None]:
    """Be the only one who changes a subscriber in the panel. Raises TurnTaken after PATIENCE.

    in_line: the caller is a job of the subscriber's line, which holds the turn for all of them.
    Not within a transaction: others would wait for its end. Does not nest. Who dies with a turn loses
    it after SPAN, a job of the line at once to the next.
    """
    token = _LINE if in_line else uuid7()
    _wait(subscriber_id, token, PATIENCE if patience is None else patience)
    try:
        yield
    finally:
        rows_of(_GIVE_BACK, [subscriber_id, token])


def _wait(subscriber_id: int, token: UUID, patience: timedelta) -> None:
    params = [subscriber_id, token, SPAN]
    ends_at = time.monotonic() + patience.total_seconds()
    pause = threading.Event()
    while not rows_of(_TAKE, params):
        if time.monotonic() >= ends_at:
            raise TurnTaken(retry_after=timedelta(seconds=1))
        pause.wait(_POLL_S)
