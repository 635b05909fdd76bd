"""Hours of samples: the same however often they are made, and none that was missed stays missing."""

from datetime import UTC, datetime, time, timedelta

from django.conf import settings

from jobs import sql
from lib import clock

AGAIN = timedelta(hours=2)  # hours that are made once more, for a sample that came late

# The sample of a slot tells of the time before it, so that the one of 13:00 belongs to the hour of 12.
_ROLL = """
WITH made AS (
    SELECT s.node_id, date_trunc('hour', s.at - interval '1 microsecond', 'UTC') AS hour,
        coalesce(sum(s.bytes), 0)::bigint AS bytes_sum,
        sum(s.bytes) / nullif(sum(s.seconds) FILTER (WHERE s.bytes IS NOT NULL), 0) AS rate_avg,
        max(s.bytes / nullif(s.seconds, 0)) AS rate_max,
        min(s.bytes / nullif(s.seconds, 0)) AS rate_min,
        avg(s.users_online)::float8 AS users_avg, max(s.users_online) AS users_max,
        count(*)::int AS samples
    FROM node_sample s JOIN node n ON n.uuid = s.node_id
    WHERE s.at > %(from)s AND s.at <= %(to)s GROUP BY 1, 2
), written AS (
    INSERT INTO node_hour AS h (node_id, hour, bytes_sum, rate_avg, rate_max, rate_min, users_avg,
        users_max, samples)
    SELECT node_id, hour, bytes_sum, rate_avg, rate_max, rate_min, users_avg, users_max, samples
    FROM made ORDER BY node_id, hour
    ON CONFLICT (node_id, hour) DO UPDATE SET bytes_sum = EXCLUDED.bytes_sum,
        rate_avg = EXCLUDED.rate_avg, rate_max = EXCLUDED.rate_max, rate_min = EXCLUDED.rate_min,
        users_avg = EXCLUDED.users_avg, users_max = EXCLUDED.users_max, samples = EXCLUDED.samples
    WHERE (h.bytes_sum, h.rate_avg, h.rate_max, h.rate_min, h.users_avg, h.users_max, h.samples)
        IS DISTINCT FROM (EXCLUDED.bytes_sum, EXCLUDED.rate_avg, EXCLUDED.rate_max,
        EXCLUDED.rate_min, EXCLUDED.users_avg, EXCLUDED.users_max, EXCLUDED.samples)
    RETURNING 1
)
SELECT (SELECT count(DISTINCT hour) FROM made), (SELECT count(*) FROM written)
"""


def hours_roll(since: datetime | None = None) -> dict[str, object]:
    """Make the hours that are over, from `since` or from those that were made last. One statement.

    Repeat: rows that would be the same are not written. Hours whose samples may have been dropped by now
    are left as they are. Locks: the rows that change.
    """
    until = clock.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    begin = max(_begin(until) if since is None else since, oldest_whole())
    row = sql.row(_ROLL, {"from": begin, "to": until})
    hours, written = row if row is not None else (0, 0)
    return {"from": begin.isoformat(), "to": until.isoformat(), "hours": hours, "written": written}


def oldest_whole() -> datetime:
    """From this moment on no sample was dropped yet: drops take whole days (UTC)."""
    day = (clock.now() - settings.NODE_SAMPLES_KEPT).astimezone(UTC).date()
    return datetime.combine(day, time(), UTC)


def _begin(until: datetime) -> datetime:
    row = sql.row("SELECT max(hour) FROM node_hour")
    last = row[0] if row is not None else None
    return oldest_whole() if last is None else min(last, until) - AGAIN
