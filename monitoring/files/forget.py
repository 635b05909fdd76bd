"""Deleting history, in pieces that hold up nobody."""

from datetime import datetime

from jobs import sql
from monitoring.files.models import Watcher

PIECE = 5_000


def history_forget(before: datetime) -> dict[str, int]:
    """Delete what ended before. Safe to repeat and to interrupt."""
    batches = 0
    while batch := sql.row(
        """SELECT id FROM files_batch WHERE finished_at < %s AND state = 'finished'
        ORDER BY finished_at LIMIT 1""",
        [before],
    ):
        while _events_delete(batch[0]) == PIECE:
            continue
        batches += sql.run("DELETE FROM files_batch WHERE id = %s", [batch[0]])
    files = 0
    while found := _files_delete(before):
        files += found
    watchers, _ = Watcher.objects.filter(beat_at__lt=before).delete()
    return {"batches": batches, "files": files, "watchers": watchers}


def _events_delete(batch_id: object) -> int:
    return sql.run(
        f"""DELETE FROM files_event WHERE id IN (
            SELECT id FROM files_event WHERE batch_id = %s ORDER BY id LIMIT {PIECE})""",
        [batch_id],
    )


def _files_delete(before: datetime) -> int:
    """Files that are gone and of which no change is kept."""
    return sql.run(
        f"""DELETE FROM files_file WHERE id IN (
            SELECT f.id FROM files_file f
            WHERE f.state IN ('deleted', 'left_out') AND f.checked_at < %s
            AND NOT EXISTS (SELECT FROM files_event e WHERE e.file_id = f.id)
            ORDER BY f.checked_at LIMIT {PIECE})""",
        [before],
    )
