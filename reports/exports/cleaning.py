"""Taking away what nobody may have any more: files whose time is over, and what no row speaks of."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from jobs import sql
from lib import clock
from reports.exports import stores
from reports.exports.models import Export, ExportState
from reports.exports.models.export import OPEN
from reports.exports.stores import Stored

ORPHAN_AFTER = timedelta(hours=1)  # a file that nobody speaks of may just be on its way to its row
HISTORY = timedelta(days=90)  # the rows of exports, without their files
BATCH = 200
# Names that are ours: whatever else lies there was not written by us and stays.
_OURS = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([0-9]+)(?:\.(?:csv|jsonl)(?:\.gz)?)?"
)
_JOBLESS = """
SELECT e.id FROM export e WHERE e.state IN ('waiting', 'running') AND NOT EXISTS (
    SELECT FROM jobs_job j WHERE j.id = e.job_id AND j.state <> 'dead'
)
"""

logger = logging.getLogger("switchboard.exports")


@dataclass(slots=True)
class Cleaned:
    """What was taken away, or in a dry run would be."""

    expired: int = 0  # files whose time was over
    orphans: int = 0  # files that no row speaks of
    partials: int = 0  # unfinished files that nobody writes
    bytes: int = 0  # of all these
    rows: int = 0  # old rows


def exports_clean(*, dry_run: bool = False) -> Cleaned:
    """Take away files whose time is over, orphans and old rows. Uses the network: not in a transaction.

    Repeat-safe: a row is closed before its file goes, so a killed run leaves orphans for the next one.
    Raises StoreAway.
    """
    done, now = Cleaned(), clock.now()
    _expire(done, now, dry_run=dry_run)
    for group in _grouped(stores.store().files()):
        for found in _unknown(group, now):
            done.orphans, done.bytes = done.orphans + 1, done.bytes + found.bytes
            if not dry_run:
                stores.store().remove(found.name)
    for found in _unknown(list(stores.partials()), now):
        done.partials, done.bytes = done.partials + 1, done.bytes + found.bytes
        if not dry_run:
            stores.partial_remove(found.name)
    old = Export.objects.filter(created_at__lt=now - HISTORY).exclude(
        state__in=[*OPEN, ExportState.DONE]
    )
    done.rows = old.count() if dry_run else old.delete()[0]
    logger.info("exports cleaned", extra={"dry_run": dry_run, **asdict(done)})
    return done


def exports_without_job() -> list[UUID]:
    """Open exports whose job has given up, or is gone: a worker that died thrice, a person who discarded."""
    return [export_id for (export_id,) in sql.rows(_JOBLESS)]


def _expire(done: Cleaned, now: datetime, *, dry_run: bool) -> None:
    over = Export.objects.filter(state=ExportState.DONE, expires_at__lte=now)
    after: UUID | None = None
    while True:
        rows = over if after is None else over.filter(pk__gt=after)
        batch = list(rows.order_by("pk").values_list("pk", "storage_name", "bytes")[:BATCH])
        for export_id, name, size in batch:
            closed = dry_run or over.filter(pk=export_id).update(state=ExportState.EXPIRED)
            if closed:
                done.expired, done.bytes = done.expired + 1, done.bytes + size
                if not dry_run:
                    stores.store().remove(name)
        if len(batch) < BATCH:
            return
        after = batch[-1][0]


def _unknown(found: Sequence[Stored], now: datetime) -> Iterator[Stored]:
    """Files with names of ours that are old enough, and are neither a done export's nor being written."""
    ours = {
        each.name: match
        for each in found
        if each.changed_at < now - ORPHAN_AFTER and (match := _OURS.fullmatch(each.name))
    }
    known = {
        (str(export_id), attempt): (state, name)
        for export_id, attempt, state, name in Export.objects.filter(
            pk__in=[UUID(match[1]) for match in ours.values()]
        ).values_list("pk", "attempt", "state", "storage_name")
    }
    for each in found:
        if each.name not in ours:
            continue
        match = ours[each.name]
        state, name = known.get((match[1], int(match[2])), ("", ""))
        is_kept = state == ExportState.RUNNING or (state == ExportState.DONE and name == each.name)
        if not is_kept:
            yield each


def _grouped(found: Iterator[Stored]) -> Iterator[list[Stored]]:
    while group := list(islice(found, BATCH)):
        yield group
