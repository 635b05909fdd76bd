"""Running one job in this process, outside of a pool: for `run_job` and `run_worker`.

The job is enqueued and leased in one transaction, so no pool takes it first; a beat keeps the lease.
"""

import os
import threading
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction

from jobs import sql
from jobs.engine.beat import Beat
from jobs.engine.lane import Lane
from jobs.errors import JobNotRetryable
from jobs.lease import LEASE_COLUMNS, Lease, lease_read
from jobs.models import JobRecord
from jobs.registry import JobKind
from jobs.workers import worker_gone, worker_start


class Foreground:
    """A worker of one lane in the calling thread. Use as a context manager."""

    def __init__(self, name: str) -> None:
        self.id = f"{settings.POD_ID}:{name}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self.lane = Lane("foreground", self.id, [], None)
        self.beat = Beat(self.id, [self.lane], None)
        self.stopping = threading.Event()

    def __enter__(self) -> "Foreground":
        worker_start(self.id, host=settings.POD_ID, pid=os.getpid(), queues=[])
        self.beat.start()
        return self

    def __exit__(self, *_: object) -> None:
        worker_gone(self.id, "stopped")

    def run(self, kind: JobKind[Any], args: dict[str, Any]) -> JobRecord:
        """Make a job and run its first attempt. Returns the row as it stands then.

        Raises what enqueue raises; JobNotRetryable if another job of its line is ahead of it.
        """
        with transaction.atomic():
            made = kind.enqueue(**args)
            lease = self._lease(made.id)
        self.beat.active += 1
        self.beat.wake.set()
        try:
            self.lane.run([lease], self.stopping)
        finally:
            self.beat.active -= 1
        return JobRecord.objects.get(pk=made.id)

    def _lease(self, job_id: uuid.UUID) -> Lease:
        row = sql.row(
            f"""UPDATE jobs_job SET state = 'running', attempt = attempt + 1, fence = fence + 1,
                lease_until = clock_timestamp() + %s, worker = %s, started_at = clock_timestamp()
            WHERE id = %s AND state IN ('scheduled', 'available') AND NOT blocked
            RETURNING {LEASE_COLUMNS}""",
            [settings.JOBS["lease"], self.id, job_id],
        )
        if row is None:
            raise JobNotRetryable("another job of the same line runs or waits ahead of it")
        return lease_read(row)
