"""How the inbox does just now, in a few numbers that cost a few steps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs import sql
from lib import clock
from notifications.inbox.selectors.pods import SILENT_AFTER

COUNTED = 1_000  # rows of the outbox are counted no further
LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """connections and users: open sockets, and how many people they belong to.

    pods: those that beat, without the draining ones.
    unpublished: transactions that are committed and not on the screens yet, waiting_since the oldest.
    lately: what was counted in the last hour, by event.
    """

    connections: int
    users: int
    pods: int
    silent: int
    draining: int
    unpublished: int
    waiting_since: datetime | None
    lately: dict[str, int]

    counted = COUNTED

    @property
    def is_stuck(self) -> bool:
        """Does something wait longer than the relay should let it?"""
        return self.waiting_since is not None and clock.now() - self.waiting_since > timedelta(
            seconds=10
        )


def inbox_figures() -> Figures:
    """Four queries on small tables: what is open or waiting now, and sums by the minute."""
    sockets = sql.row(
        """SELECT coalesce(sum(sockets), 0), count(*)
             FROM (SELECT count(*) AS sockets FROM inbox_client GROUP BY recipient_id) people"""
    )
    pods = sql.row(
        """SELECT count(*) FILTER (WHERE beats AND NOT draining),
                  count(*) FILTER (WHERE NOT beats),
                  count(*) FILTER (WHERE beats AND draining)
             FROM (SELECT draining, beat_at >= now() - %s AS beats FROM inbox_pod) pods""",
        [SILENT_AFTER],
    )
    assert sockets is not None  # an aggregate always has a row
    assert pods is not None
    unpublished, waiting_since = outbox_waiting()
    events = sql.rows(
        "SELECT event, sum(count)::bigint FROM inbox_stat WHERE at > %s GROUP BY event",
        [clock.now() - LATELY],
    )
    beating, silent, draining = map(int, pods)
    return Figures(
        connections=int(sockets[0]),
        users=int(sockets[1]),
        pods=beating,
        silent=silent,
        draining=draining,
        unpublished=unpublished,
        waiting_since=waiting_since,
        lately={str(event): int(count) for event, count in events},
    )


def outbox_waiting() -> tuple[int, datetime | None]:
    """How many transactions wait to be published, counted to COUNTED, and since when the oldest does."""
    found = sql.row(
        """SELECT count(*), min(created_at)
             FROM (SELECT created_at FROM inbox_outbox ORDER BY id LIMIT %s) waiting""",
        [COUNTED + 1],
    )
    assert found is not None  # an aggregate always has a row
    return int(found[0]), found[1]
