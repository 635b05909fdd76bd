"""Outside workers as rows: seen at each call, told what to do, counted.

They stand in the same table as our own processes. An outside worker cannot take the name of one of
ours: leases are taken back by the name of their worker.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.conf import settings

from jobs import sql
from lib import clock
from lib.errors import DomainError, InputInvalid

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,119}", re.ASCII)


class WorkerIdTaken(DomainError):
    """This worker_id belongs to a process of ours; take one that is new at each start."""

    code = "worker_id_taken"


class WorkerIdInvalid(InputInvalid):
    """worker_id has 1 to 120 of the characters A-Z a-z 0-9 . _ : @ - and begins with one of the first."""

    code = "worker_id_invalid"


@dataclass(frozen=True, slots=True)
class WorkerNote:
    """What an outside worker says about itself; rss_bytes 0 and slots 0 mean: not said."""

    id: str
    host: str = ""
    pid: int | None = None
    version: str = ""
    slots: int = 0
    rss_bytes: int = 0
    labels: dict[str, Any] = field(default_factory=dict)
    stop_reason: str = ""


def worker_seen(note: WorkerNote, *, queues: Sequence[str] = ()) -> str:
    """Note that an outside worker lives, or that it stops. Returns its directive.

    Repeat: what is not said stays as it was; a worker that comes back after its stop starts anew, with
    the directive "run". Locks: its row, for one statement. Raises WorkerIdInvalid, WorkerIdTaken.
    """
    if not _NAME.fullmatch(note.id):
        raise WorkerIdInvalid
    row = sql.row(
        """INSERT INTO jobs_worker AS w (id, cluster, host, pid, is_external, version, queues,
            started_at, beat_at, stopped_at, stop_reason, rss_bytes, jobs_started, jobs_completed,
            jobs_failed, directive, slots, labels)
        VALUES (%(id)s, '', %(host)s, %(pid)s, true, %(version)s, %(queues)s::jsonb, %(now)s, %(now)s,
            %(stopped_at)s, %(stop_reason)s, %(rss)s, 0, 0, 0, 'run', greatest(1, %(slots)s),
            %(labels)s::jsonb)
        ON CONFLICT (id) DO UPDATE SET
            beat_at = EXCLUDED.beat_at,
            started_at = CASE WHEN w.stopped_at IS NOT NULL AND EXCLUDED.stopped_at IS NULL
                THEN EXCLUDED.started_at ELSE w.started_at END,
            directive = CASE WHEN w.stopped_at IS NOT NULL AND EXCLUDED.stopped_at IS NULL
                THEN 'run' ELSE w.directive END,
            stopped_at = EXCLUDED.stopped_at, stop_reason = EXCLUDED.stop_reason,
            host = coalesce(nullif(EXCLUDED.host, ''), w.host),
            pid = coalesce(EXCLUDED.pid, w.pid),
            version = coalesce(nullif(EXCLUDED.version, ''), w.version),
            queues = CASE WHEN EXCLUDED.queues = '[]' THEN w.queues ELSE EXCLUDED.queues END,
            rss_bytes = coalesce(nullif(EXCLUDED.rss_bytes, 0), w.rss_bytes),
            slots = CASE WHEN %(slots)s > 0 THEN %(slots)s ELSE w.slots END,
            labels = coalesce(EXCLUDED.labels, w.labels)
        WHERE w.is_external RETURNING w.directive""",
        {
            "id": note.id,
            "host": note.host[:120],
            "pid": note.pid,
            "version": note.version[:40],
            "queues": orjson.dumps(list(queues)).decode(),
            "now": clock.now(),
            "stopped_at": clock.now() if note.stop_reason else None,
            "stop_reason": note.stop_reason[:200],
            "rss": note.rss_bytes,
            "slots": note.slots,
            "labels": orjson.dumps(note.labels).decode() if note.labels else None,
        },
    )
    if row is None:
        raise WorkerIdTaken
    return str(row[0])


def worker_counted(worker_id: str, *, started: int = 0, completed: int = 0, failed: int = 0) -> str:
    """Add to the counts of an outside worker, which also shows that it lives. Returns its directive."""
    row = sql.row(
        """UPDATE jobs_worker SET beat_at = %s, jobs_started = jobs_started + %s,
            jobs_completed = jobs_completed + %s, jobs_failed = jobs_failed + %s
        WHERE id = %s AND is_external RETURNING directive""",
        [clock.now(), started, completed, failed, worker_id],
    )
    return str(row[0]) if row else "run"


def slots_of(queue: str, *, silent_after_s: float) -> tuple[int, int]:
    """(workers, slots) that live and serve a queue, ours and outside ones."""
    threads = settings.JOBS["threads"] if queue in settings.JOBS["threaded_queues"] else 1
    row = sql.row(
        """SELECT count(*), coalesce(sum(CASE WHEN is_external THEN slots ELSE %s END), 0)
        FROM jobs_worker WHERE stopped_at IS NULL AND beat_at > %s - make_interval(secs => %s)
            AND queues @> %s::jsonb AND directive = 'run'""",
        [max(1, threads), clock.now(), silent_after_s, orjson.dumps([queue]).decode()],
    )
    return (int(row[0]), int(row[1])) if row else (0, 0)
