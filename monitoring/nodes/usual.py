"""What is usual for a server at this hour of the week: the median over the last weeks."""

from datetime import datetime, timedelta
from uuid import UUID

from jobs import sql
from lib import clock

WEEKS = 4  # hours are kept for 30 days
AROUND = 1  # hours before and after, so that one odd hour says little
LEAST_WEEKS = 2  # of fewer nothing is said

Usual = tuple[float | None, float | None]


def usual_now() -> dict[UUID, Usual]:
    """{node: (people online, bytes per second)} for the present hour. One query on an index.

    Only of servers that have hours of LEAST_WEEKS different weeks. A median: an outage in one of four
    weeks moves it little.
    """
    return usual_at(clock.now())


def usual_at(moment: datetime) -> dict[UUID, Usual]:
    """The same for any moment."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    hours = [
        hour - timedelta(weeks=week, hours=around)
        for week in range(1, WEEKS + 1)
        for around in range(-AROUND, AROUND + 1)
    ]
    found = sql.rows(
        """SELECT node_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY users_avg),
            percentile_cont(0.5) WITHIN GROUP (ORDER BY rate_avg)
        FROM node_hour WHERE hour = ANY(%s) GROUP BY node_id
        HAVING count(DISTINCT floor(extract(epoch FROM %s - hour + interval '12 hours')
            / 604800)) >= %s""",
        [hours, hour, LEAST_WEEKS],
    )
    return {node_id: (users, rate) for node_id, users, rate in found}
