"""Lines of the charts: each picture leaves a point, which is kept for a day."""

from datetime import datetime, timedelta
from typing import Any

from jobs import sql
from monitoring.dashboard.models import Point

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVERY_S = 30
DAY_EVERY_S = 600

# The mean of each part of a span; a part without a point is not there.
_POINTS = """
SELECT floor(extract(epoch FROM at) / %(every)s)::bigint * %(every)s AS part,
    avg(users_online)::float8, avg(bytes_per_s), avg(jobs_per_s), avg(queued)::float8
FROM dashboard_point WHERE at > %(since)s AND at <= %(until)s GROUP BY 1 ORDER BY 1
"""


def charts(until: datetime) -> dict[str, Any]:
    """{hour: line, day: line}; a line is {every_s, at: [unix], users, bytes_per_s, jobs_per_s, queued}.

    Two queries, over the points of a day.
    """
    return {
        "hour": _line(until - HOUR, until, EVERY_S),
        "day": _line(until - DAY, until, DAY_EVERY_S),
    }


def _line(since: datetime, until: datetime, every_s: int) -> dict[str, Any]:
    found = sql.rows(_POINTS, {"since": since, "until": until, "every": every_s})
    names = ("users", "bytes_per_s", "jobs_per_s", "queued")
    return {
        "every_s": every_s,
        "at": [row[0] for row in found],
        **{
            name: [None if row[place] is None else round(row[place], 2) for row in found]
            for place, name in enumerate(names, 1)
        },
    }


def point_write(picture: dict[str, Any], at: datetime) -> None:
    """Leave the point of a picture. Repeat: the point of a moment is written once."""
    Point.objects.bulk_create(
        [
            Point(
                at=at,
                users_online=picture["people"]["online"],
                bytes_per_s=picture["servers"]["bytes_per_s"],
                jobs_per_s=picture["work"]["per_second"],
                queued=picture["work"]["due"],
            )
        ],
        ignore_conflicts=True,
    )
