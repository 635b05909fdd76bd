"""How many people there were of whom at the end of a day, who came, and who left.

The panel only says how it is now. So the platform counts every ten minutes (SubscriberCount): the count
closest to the end of the day is what was seen. Without one, each subscriber is taken as he is, and what
his story says to have changed since is undone: the end of his time, whether he was disabled or out of
traffic, whether he was there at all. The story begins with the first pass over the panel; of what was
before that, only who joined when can be told.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs import sql
from reports.statistics.days.spans import Span
from reports.statistics.models import UsersSource
from subscriptions.models import MirrorPass, SubscriberCount

CLOSE = timedelta(minutes=30)  # a count so long before the end stands for the end

# One scan of the subscribers, beside the lines of the story since the end of the day (by its index).
_AS_OF = """
WITH since AS MATERIALIZED (
    SELECT id, subscriber_id, at, kind, data FROM subscriber_event
    WHERE at >= %(end)s AND kind = ANY (ARRAY['panel_moved', 'extended', 'moved_back', 'activated',
        'panel_expired', 'panel_limited', 'panel_disabled', 'panel_active', 'enabled', 'disabled', 'cut',
        'panel_gone', 'panel_back', 'deleted'])
), moved AS (
    SELECT DISTINCT ON (subscriber_id) subscriber_id, at, kind,
        (data->>CASE kind WHEN 'panel_expired' THEN 'until' ELSE 'before' END)::timestamptz AS was
    FROM since
    WHERE kind IN ('panel_moved', 'extended', 'moved_back', 'activated', 'panel_expired')
        AND data->>CASE kind WHEN 'panel_expired' THEN 'until' ELSE 'before' END IS NOT NULL
    ORDER BY subscriber_id, id
), ends AS (
    -- What an activation added to is his end only if that lay ahead: else it is when he paid, and his
    -- end is what the last line before the end of the day says.
    SELECT m.subscriber_id,
        CASE WHEN m.kind <> 'activated' OR m.was > m.at THEN m.was ELSE told.until END AS ends_at
    FROM moved m LEFT JOIN LATERAL (
        SELECT (e.data->>'until')::timestamptz AS until FROM subscriber_event e
        WHERE m.kind = 'activated' AND e.subscriber_id = m.subscriber_id AND e.at < %(end)s
            AND e.data->>'until' IS NOT NULL
        ORDER BY e.id DESC LIMIT 1
    ) told ON true
), statuses AS (
    SELECT DISTINCT ON (subscriber_id) subscriber_id, coalesce(nullif(data->>'before', ''),
        CASE kind WHEN 'enabled' THEN 'DISABLED' ELSE 'ACTIVE' END) AS was
    FROM since
    WHERE kind IN ('panel_expired', 'panel_limited', 'panel_disabled', 'panel_active', 'enabled',
        'disabled', 'cut')
    ORDER BY subscriber_id, id
), places AS (
    SELECT DISTINCT ON (subscriber_id) subscriber_id, kind <> 'panel_back' AS is_there
    FROM since WHERE kind IN ('panel_gone', 'panel_back', 'deleted') ORDER BY subscriber_id, id
), people AS (
    SELECT coalesce(s.panel_created_at, s.created_at) AS joined_at, s.missing_since,
        coalesce(p.is_there, s.missing_since IS NULL OR s.missing_since >= %(end)s) AS is_there,
        coalesce(t.was, s.status) AS was,
        CASE WHEN e.subscriber_id IS NULL THEN s.expire_at ELSE e.ends_at END AS ends_at
    FROM subscriber s
    LEFT JOIN ends e ON e.subscriber_id = s.id
    LEFT JOIN statuses t ON t.subscriber_id = s.id
    LEFT JOIN places p ON p.subscriber_id = s.id
    WHERE coalesce(s.panel_created_at, s.created_at) < %(end)s
), named AS (
    SELECT p.*, CASE WHEN was = 'DISABLED' THEN 'DISABLED'
        WHEN ends_at IS NULL OR ends_at < %(end)s THEN 'EXPIRED'
        WHEN was = 'LIMITED' THEN 'LIMITED' ELSE 'ACTIVE' END AS status
    FROM people p
)
SELECT count(*) FILTER (WHERE is_there AND status = 'ACTIVE'),
    count(*) FILTER (WHERE is_there AND status = 'DISABLED'),
    count(*) FILTER (WHERE is_there AND status = 'EXPIRED'),
    count(*) FILTER (WHERE is_there AND status = 'LIMITED'),
    count(*) FILTER (WHERE joined_at >= %(begin)s),
    count(*) FILTER (WHERE ends_at >= %(begin)s AND ends_at < %(end)s
        OR missing_since >= %(begin)s AND missing_since < %(end)s AND ends_at >= missing_since)
FROM named
"""


@dataclass(frozen=True, slots=True)
class People:
    """The figures of one day; null: cannot be told. source and at say what the four by status are of."""

    active: int | None
    disabled: int | None
    expired: int | None
    limited: int | None
    source: UsersSource
    at: datetime | None
    new: int
    lost: int | None
    online_max: int | None


@dataclass(frozen=True, slots=True)
class Moment:
    """What the subscribers and their story say of the end of a day."""

    active: int
    disabled: int
    expired: int
    limited: int
    new: int
    lost: int


def moment_of(span: Span) -> Moment:
    """The figures by the subscribers as they are, less what changed since. One statement."""
    return Moment(*sql.rows(_AS_OF, span.params())[0])


def people_of(span: Span) -> People:
    """The figures of a day that is over. Four statements; one looks at all subscribers."""
    moment = moment_of(span)
    reaches = story_reaches(span.end)
    last, online_max = _counted(span)
    lost = moment.lost if reaches else None
    if last is not None and last.at >= span.end - CLOSE:
        return _of_count(last, UsersSource.COUNTED, moment.new, lost, online_max)
    if reaches:
        return People(
            moment.active, moment.disabled, moment.expired, moment.limited, UsersSource.STORY,
            span.end, moment.new, lost, online_max,
        )  # fmt: skip
    if last is not None:
        return _of_count(last, UsersSource.EARLIER, moment.new, lost, online_max)
    return People(None, None, None, None, UsersSource.UNKNOWN, None, moment.new, lost, online_max)


def story_reaches(moment: datetime) -> bool:
    """Whether the whole panel had been read by then, so that every change since is in the story."""
    first = (
        MirrorPass.objects.filter(finished_at__isnull=False, error="", is_comparing=False)
        .order_by("finished_at")
        .values_list("finished_at", flat=True)
        .first()
    )
    return first is not None and first <= moment


def _counted(span: Span) -> tuple[SubscriberCount | None, int | None]:
    """The last count of the day, and how many were online at most in any."""
    of_day = list(
        SubscriberCount.objects.filter(at__gte=span.begin, at__lt=span.end).order_by("-at")
    )
    if not of_day:
        return None, None
    return of_day[0], max(row.online for row in of_day)


def _of_count(
    row: SubscriberCount, source: UsersSource, new: int, lost: int | None, online_max: int | None
) -> People:
    return People(
        row.active, row.disabled, row.expired, row.limited, source, row.at, new, lost, online_max
    )
