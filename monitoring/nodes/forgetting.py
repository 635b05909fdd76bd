"""What is old goes: samples by whole days, hours and spans by batches. Also called by the retention."""

from datetime import UTC

from django.conf import settings

from jobs import sql
from lib import clock
from lib.partitions import days_drop
from monitoring.nodes.collecting import TABLE

BATCH = 1_000


def samples_forget(*, dry_run: bool = False) -> list[str]:
    """Drop the days whose samples are all older than NODE_SAMPLES_KEPT. Returns their names."""
    before = (clock.now() - settings.NODE_SAMPLES_KEPT).astimezone(UTC).date()
    return days_drop(TABLE, before, dry_run=dry_run)


def hours_forget(*, dry_run: bool = False) -> int:
    """Delete hours older than NODE_HOURS_KEPT, in batches. Returns how many; in a dry run counted."""
    return _forget("node_hour", "hour < %s", clock.now() - settings.NODE_HOURS_KEPT, dry_run)


def states_forget(*, dry_run: bool = False) -> int:
    """Delete spans that ended before NODE_STATES_KEPT ago, and as old changes of settings."""
    before = clock.now() - settings.NODE_STATES_KEPT
    spans = _forget("node_state", "began_at < %s AND ended_at < %s", before, dry_run)
    return spans + _forget("node_config_change", "at < %s", before, dry_run)


def _forget(table: str, where: str, before: object, dry_run: bool) -> int:
    params = [before] * where.count("%s")
    if dry_run:
        row = sql.row(f"SELECT count(*) FROM {table} WHERE {where}", params)
        return int(row[0]) if row is not None else 0
    gone = 0
    while count := sql.run(
        f"""DELETE FROM {table} WHERE id = ANY (ARRAY(
            SELECT id FROM {table} WHERE {where} LIMIT {BATCH} FOR UPDATE SKIP LOCKED))""",
        params,
    ):
        gone += count
    return gone
