"""Writing what a look found: the index, a batch with its files, and the job that acts on them.

One transaction, and only for the watcher that leads and for the rule as it was read. So a change is
recorded once, whoever is killed or wakes up late: what is recorded is in the index, and what is not
is found again by the next look.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from jobs import sql
from jobs.registry import kind_get
from lib import clock
from lib.context import correlated
from lib.ids import uuid7
from monitoring.files.errors import LeadershipLost, RuleChanged
from monitoring.files.models import Change, WatchedFile
from monitoring.files.places import Stat

KIND = "files.file_event"
MOST = 20_000  # findings of one transaction, so files of one batch; more become several

logger = logging.getLogger("switchboard.files")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look found out about one path. change None: only the index is to know."""

    path: str
    state: str = WatchedFile.State.PRESENT
    change: Change | None = None
    stat: Stat | None = None  # None: the index keeps what it has
    sha256: str | None = None
    problem: str = ""
    old_path: str | None = None  # of a move
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Mandate:
    """In whose name something is written: the leader with this fence, the rule in this version."""

    fence: int
    rule_id: int
    rule_version: int
    changes: frozenset[str]  # that count


def changes_record(
    mandate: Mandate, findings: Sequence[Finding], *, opened_at: datetime
) -> UUID | None:
    """Write findings (one per path, at most MOST). Returns the id of the batch, if there is one.

    Raises LeadershipLost, RuleChanged: nothing was written then. Locks: the leader's row against a
    take-over, the rule, then its files.
    """
    if not findings:
        return None
    with correlated() as cause, transaction.atomic():
        mandate_check(mandate)
        ids = _index_write(mandate.rule_id, findings)
        counted = [each for each in findings if each.change and each.change in mandate.changes]
        if not counted:
            return None
        batch_id = _batch_write(mandate.rule_id, counted, ids, opened_at, cause)
    logger.info(
        "files changed",
        extra={"rule": mandate.rule_id, "batch": str(batch_id), "files": len(counted)},
    )
    return batch_id


def mandate_check(mandate: Mandate) -> None:
    """Hold the mandate until the transaction ends. Raises LeadershipLost, RuleChanged."""
    leads = sql.row(
        "SELECT 1 FROM files_leader WHERE id = 1 AND fence = %s FOR SHARE", [mandate.fence]
    )
    if leads is None:
        raise LeadershipLost
    rule = sql.row(
        """SELECT 1 FROM files_rule WHERE id = %s AND version = %s AND paused_at IS NULL
        FOR NO KEY UPDATE""",
        [mandate.rule_id, mandate.rule_version],
    )
    if rule is None:
        raise RuleChanged


def _index_write(rule_id: int, findings: Sequence[Finding]) -> dict[str, int]:
    """Upsert the index. Returns the ids by path."""
    stats = [each.stat for each in findings]
    rows = sql.rows(
        """INSERT INTO files_file AS f (rule_id, path, state, size, mtime_ns, ctime_ns, inode, sha256,
            problem, moved_to, first_seen_at, changed_at, checked_at)
        SELECT %(rule)s, path, state, coalesce(size, 0), coalesce(mtime, 0), coalesce(ctime, 0),
            coalesce(inode, 0), sha256, problem, moved_to, %(now)s,
            CASE WHEN changed THEN %(now)s::timestamptz END, %(now)s
        FROM unnest(%(paths)s::text[], %(states)s::text[], %(sizes)s::bigint[], %(mtimes)s::bigint[],
            %(ctimes)s::bigint[], %(inodes)s::bigint[], %(hashes)s::text[], %(problems)s::text[],
            %(moved)s::text[], %(changed)s::bool[])
            AS t (path, state, size, mtime, ctime, inode, sha256, problem, moved_to, changed)
        ORDER BY path COLLATE "C"
        ON CONFLICT (rule_id, path) DO UPDATE SET state = excluded.state,
            size = CASE WHEN excluded.inode = 0 THEN f.size ELSE excluded.size END,
            mtime_ns = CASE WHEN excluded.inode = 0 THEN f.mtime_ns ELSE excluded.mtime_ns END,
            ctime_ns = CASE WHEN excluded.inode = 0 THEN f.ctime_ns ELSE excluded.ctime_ns END,
            inode = CASE WHEN excluded.inode = 0 THEN f.inode ELSE excluded.inode END,
            sha256 = coalesce(excluded.sha256, f.sha256), problem = excluded.problem,
            moved_to = excluded.moved_to, changed_at = coalesce(excluded.changed_at, f.changed_at),
            checked_at = excluded.checked_at
        RETURNING path, id""",
        {
            "rule": rule_id,
            "now": clock.now(),
            "paths": [each.path for each in findings],
            "states": [str(each.state) for each in findings],
            "sizes": [found and found.size for found in stats],
            "mtimes": [found and found.mtime_ns for found in stats],
            "ctimes": [found and found.ctime_ns for found in stats],
            "inodes": [found and found.inode for found in stats],
            "hashes": [each.sha256 for each in findings],
            "problems": [each.problem for each in findings],
            "moved": [each.moved_to for each in findings],
            "changed": [each.change is not None for each in findings],
        },
    )
    return dict(rows)


def _batch_write(
    rule_id: int, counted: Sequence[Finding], ids: dict[str, int], opened_at: datetime, cause: str
) -> UUID:
    batch_id, now = uuid7(), clock.now()
    kinds = [each.change for each in counted]
    sql.run(
        """INSERT INTO files_batch (id, rule_id, state, opened_at, created_at, correlation_id, total,
            added, modified, moved, deleted, done, failed, skipped, accepted, rejected)
        VALUES (%s, %s, 'waiting', %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 0, 0, 0)""",
        [
            batch_id, rule_id, opened_at, now, cause, len(counted), kinds.count(Change.ADDED),
            kinds.count(Change.MODIFIED), kinds.count(Change.MOVED), kinds.count(Change.DELETED),
        ],
    )  # fmt: skip
    sql.run(
        """INSERT INTO files_event (batch_id, file_id, change, path, old_path, size, modified_at,
            sha256, created_at)
        SELECT %s, file_id, change, path, old_path, size, modified_at, sha256, %s
        FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[],
            %s::timestamptz[], %s::text[])
            WITH ORDINALITY AS t (file_id, change, path, old_path, size, modified_at, sha256, n)
        ORDER BY n""",
        [
            batch_id, now,
            [ids[each.path] for each in counted],
            [str(each.change) for each in counted],
            [each.path for each in counted],
            [each.old_path for each in counted],
            [each.stat.size if each.stat else 0 for each in counted],
            [moment_of(each.stat.mtime_ns) if each.stat else None for each in counted],
            [each.sha256 for each in counted],
        ],
    )  # fmt: skip
    job = kind_get(KIND).enqueue(batch_id=str(batch_id), partition=f"files:{rule_id}")
    sql.run("UPDATE files_batch SET job_id = %s WHERE id = %s", [job.id, batch_id])
    sql.run(
        "UPDATE files_rule SET batches = batches + 1, files = files + %s WHERE id = %s",
        [len(counted), rule_id],
    )
    return batch_id


def moment_of(mtime_ns: int) -> datetime | None:
    """The time of a file, which may be any number; None if no calendar has it."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:
        return None
