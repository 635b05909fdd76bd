"""Letting time pass: the clock jumps, schedules fire, and nothing jumps on before all work is done."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from config.simulation.options import SimulationFailed
from config.simulation.processes import Processes
from jobs import sql
from jobs.schedules import schedules_fire
from lib import clock
from notifications.telegram import lane

TURN = timedelta(seconds=3)  # a message waits for the one before it in its chat, no longer
MOMENTS = 30  # within a step, for such messages; the rest goes in the next step
PATIENCE_S = 120.0  # real time; the machine may be loaded
POLL_S, LONGEST_POLL_S = 0.005, 0.03  # each look is a query: the longer it takes, the rarer
JOB_S, MOST_JOBS = 0.003, 30  # no job is done in less, so many of them need no look for a while
OURS = "(j.kind LIKE 'payments.%%' OR j.kind LIKE 'subscriptions.%%')"

_JOBS = f"""FROM jobs_job j WHERE {OURS} AND NOT j.blocked AND (
    j.state IN ('available', 'running') OR j.state = 'scheduled' AND j.run_at <= %(now)s)"""
_MESSAGES = """FROM notification_queue q WHERE q.status = 'pending'
    AND coalesce(q.next_attempt_at, q.scheduled_at) <= %(now)s
    AND NOT EXISTS (SELECT FROM jobs_breaker b
        WHERE b.name = 'telegram' AND b.state <> 'closed' AND b.retry_at > %(now)s)"""
_SCHEDULES = f"""FROM django_q_schedule s JOIN jobs_scheduleentry j ON j.schedule_id = s.id
    WHERE {OURS} AND s.next_run <= %(moment)s AND j.paused_at IS NULL AND j.quarantined_at IS NULL"""
# Asked very often while there is work, which the first rows found show already.
_HOW_MUCH = f"""
SELECT CASE WHEN found.jobs > 0 THEN found.jobs
    ELSE (EXISTS (SELECT {_MESSAGES}) OR EXISTS (SELECT {_SCHEDULES}))::int END
FROM (SELECT count(*) AS jobs FROM (SELECT {_JOBS} LIMIT %(most)s) firsts) found
"""
_OPEN = f"""
SELECT (SELECT count(*) {_JOBS}), (SELECT count(*) {_MESSAGES}), (SELECT count(*) {_SCHEDULES})
"""
# What waits for a moment: tries after a fault, messages put off. A check a minute after each payment
# is not waited for: it finds its payer served just as well an hour later.
_NEXT = f"""
SELECT least(
    (SELECT min(j.run_at) FROM jobs_job j WHERE {OURS} AND j.state = 'scheduled' AND NOT j.blocked
        AND j.kind <> 'subscriptions.check_access'),
    (SELECT min(coalesce(q.next_attempt_at, q.scheduled_at)) FROM notification_queue q
        WHERE q.status = 'pending'),
    (SELECT min(b.retry_at) FROM jobs_breaker b WHERE b.state <> 'closed'))
"""
_WHAT = f"""
SELECT j.kind, j.state, count(*), min(j.run_at), max(left(j.last_error, 200)) FROM jobs_job j
WHERE {OURS} AND NOT j.blocked GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20
"""


class Passing:
    """One mover of the clock. steps: how often it was moved; spent: real seconds, by what on."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self.steps = 0
        self.spent: Counter[str] = Counter()
        self._moment = clock.now()

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Count the time of the block."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent[what] += time.perf_counter() - began  # type: ignore[assignment]

    def to(self, moment: datetime) -> None:
        """It is that moment now, everywhere, and all schedules that are due have fired."""
        by = moment - clock.now()
        if by <= timedelta(0):
            return
        self._move(by)
        self.steps += 1
        self._moment = clock.now()
        schedules_fire()  # each by itself: the first jobs run while the others are made
        sql.run("SELECT pg_notify('jobs_wake', '')")

    def _move(self, by: timedelta) -> None:
        # The panel first: it expires people by itself before our sweeps look.
        self._processes.hand.clock_set((clock.offset() + by).total_seconds())
        clock.move(by)

    def settle(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until all is done that can be done now, or within the next seconds.

        Raises SimulationFailed.
        """
        deadline = time.monotonic() + PATIENCE_S
        hand = self._processes.hand
        is_quiet, pause_s, moments = False, POLL_S, MOMENTS
        while True:
            meanwhile()
            jobs = self._open()
            if not jobs:
                if is_quiet:
                    if not moments or not self._wait_for_turn():
                        return
                    is_quiet, pause_s, moments = False, POLL_S, moments - 1
                else:
                    # Asked between two looks at the tables: a webhook is a row before it is answered.
                    is_quiet = hand.waits() == 0
            else:
                is_quiet = False
            if not is_quiet:
                time.sleep(max(pause_s, jobs * JOB_S))
                pause_s = min(pause_s * 1.3, LONGEST_POLL_S)
            if time.monotonic() > deadline:
                self._processes.check()
                raise SimulationFailed(f"It does not settle: {self.what_is_open()}")

    def _wait_for_turn(self) -> bool:
        """Let a second pass if a message waits for the one before it in its chat. Says whether."""
        due = lane.next_due_at()
        by = due - clock.now() if due is not None else timedelta(0)
        if not timedelta(0) < by < TURN:
            return False
        self._move(by + timedelta(milliseconds=10))
        sql.run("SELECT pg_notify('jobs_wake', 'telegram.drain_queue')")
        return True

    def next_due(self) -> datetime | None:
        """When something is to be tried again that no schedule brings."""
        row = sql.row(_NEXT)
        return row[0].astimezone(UTC) if row and row[0] else None

    def what_is_open(self) -> str:
        """For people: what waits or runs."""
        row = sql.row(_OPEN, {"now": clock.now(), "moment": self._moment})
        kinds = "; ".join(
            f"{kind} {state} {count} from {run_at:%d. %H:%M} {error or ''}"
            for kind, state, count, run_at, error in sql.rows(_WHAT)
        )
        counts = "jobs {}, messages {}, schedules {}".format(*(row or (0, 0, 0)))
        return f"{counts}. {kinds}"

    def _open(self) -> int:
        """How many jobs are due or run, MOST_JOBS at most; 1 while only other work is there."""
        given = {"now": clock.now(), "moment": self._moment, "most": MOST_JOBS}
        row = sql.row(_HOW_MUCH, given)
        assert row is not None  # an aggregate always has one
        return int(row[0])
