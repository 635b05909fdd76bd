"""How many jobs of a kind may run at once, over all workers: places that free themselves."""

from uuid import UUID

from jobs import sql

_TAKE = """
INSERT INTO jobs_slot AS s (name, number, job_id, fence)
SELECT %(name)s, n.number, %(job)s, %(fence)s FROM (
    SELECT g.number FROM generate_series(1, %(count)s) g (number)
    LEFT JOIN jobs_slot o ON o.name = %(name)s AND o.number = g.number
    LEFT JOIN jobs_job j ON j.id = o.job_id AND j.fence = o.fence AND j.state = 'running'
    WHERE j.id IS NULL ORDER BY (o.job_id = %(job)s) DESC NULLS LAST, g.number LIMIT 1
) n
ON CONFLICT (name, number) DO UPDATE SET job_id = EXCLUDED.job_id, fence = EXCLUDED.fence
WHERE NOT EXISTS (
    SELECT FROM jobs_job j WHERE j.id = s.job_id AND j.fence = s.fence AND j.state = 'running'
)
RETURNING number
"""


def slot_take(name: str, count: int, job_id: UUID, fence: int) -> bool:
    """Take one of `count` places for a job that is leased. False: all are held by running jobs.

    Race: two that want the same place meet on its row, and the second finds it held. Repeat: a job
    that holds a place is refused a second one, so ask once per attempt.
    """
    params = {"name": name, "count": count, "job": job_id, "fence": fence}
    # A place lost to somebody in the same moment is not the last one: look once more.
    return any(sql.row(_TAKE, params) is not None for _ in range(2))
