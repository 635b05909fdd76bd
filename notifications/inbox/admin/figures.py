"""How the inbox does just now, in a few numbers that cost a few steps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs import sql
from lib import clock
from notifications.inbox.admin.presence import SILENT_AFTER

COUNTED = 1_000  # rows of the outbox are counted no further
LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """connections and users: of pods that beat; a person on two pods counts twice.

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
    """Three queries on small tables."""
    pods = sql.row(
        """SELECT coalesce(sum(connections) FILTER (WHERE beats), 0),
                  coalesce(sum(users) FILTER (WHERE beats), 0),
                  count(*) FILTER (WHERE beats AND NOT draining),
                  count(*) FILTER (WHERE NOT beats),
                  count(*) FILTER (WHERE beats AND draining)
             FROM (SELECT *, beat_at >= now() - %s AS beats FROM inbox_pod) pods""",
        [SILENT_AFTER],
    )
    assert pods is not None  # an aggregate always has a row
    unpublished, waiting_since = outbox_waiting()
    events = sql.rows(
        "SELECT event, sum(count)::bigint FROM inbox_stat WHERE at > %s GROUP BY event",
        [clock.now() - LATELY],
    )
    connections, users, beating, silent, draining = map(int, pods)
    return Figures(
        connections=connections,
        users=users,
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
