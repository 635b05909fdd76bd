"""How telling people of unread messages goes just now."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from jobs import sql
from lib import clock

COUNTED = 10_000  # people who wait are counted no further
# A worker may be a moment late; the timer of somebody who has waited for longer has not rung at all.
PATIENCE = timedelta(seconds=60)
# Whose job has died, and was discarded by a person, waits for nothing any more.
FORGOTTEN = timedelta(days=1)

_FIGURES = """
SELECT (SELECT count(*) FROM (SELECT FROM conversation_participant
        WHERE pending_position IS NOT NULL LIMIT %(most)s + 1) w),
    (SELECT min(pending_since) FROM conversation_participant
        WHERE pending_position IS NOT NULL AND pending_since > %(forgotten)s),
    (SELECT coalesce(sum(count), 0)::bigint FROM conversation_stat
        WHERE event = 'sent' AND at >= %(since)s),
    (SELECT coalesce(sum(count), 0)::bigint FROM conversation_stat
        WHERE event = 'skipped' AND at >= %(since)s),
    (SELECT coalesce(sum(count), 0)::bigint FROM conversation_stat
        WHERE event = 'debounced' AND at >= %(since)s)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers of the last hour, and who waits now."""

    waiting: int
    since: datetime | None  # of the one who has waited the longest
    sent: int
    skipped: int
    debounced: int
    counted: int = COUNTED

    @property
    def late_by(self) -> timedelta | None:
        """By how much the oldest timer is beyond the longest wait; None: all is well."""
        if self.since is None:
            return None
        late = clock.now() - self.since - settings.NOTIFICATION_MAX_WAIT
        return late if late > PATIENCE else None

    @property
    def is_off(self) -> bool:
        """Is telling switched off for the whole site?"""
        return not settings.NOTIFICATION_ENABLED


def notice_figures() -> Figures:
    """One query of small looks at indexes."""
    now = clock.now()
    since, forgotten = now - timedelta(hours=1), now - FORGOTTEN - settings.NOTIFICATION_MAX_WAIT
    found = sql.row(_FIGURES, {"most": COUNTED, "since": since, "forgotten": forgotten})
    assert found is not None  # it has no FROM
    return Figures(*found)
