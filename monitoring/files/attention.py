"""What of the file watch needs a person now, for the first page of the console."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse

from jobs import sql
from lib import clock
from lib.now import Attention, Severity, attention
from monitoring.files.models import Rule
from monitoring.files.selectors.watchers import silence

LATELY = timedelta(hours=24)
MOST = 10_000  # files are counted no further


@attention(order=60, permission="files.view_rule")
def unwatched_directories() -> Attention | None:
    """There are rules, and no watcher runs."""
    if (why := silence()) is None:
        return None
    return Attention(
        "file watch without a watcher", 1, Severity.CRITICAL,
        reverse("admin:files_rule_changelist"), why, runbook="file_watch_silent",
    )  # fmt: skip


@attention(order=61, permission="files.view_rule")
def missing_directories() -> Iterator[Attention]:
    """Directories that are not there, or may not be watched."""
    names = list(
        Rule.objects.filter(paused_at=None).exclude(problem="").values_list("name", flat=True)[:50]
    )
    if names:
        yield Attention(
            "directory is away" if len(names) == 1 else "directories are away",
            len(names),
            Severity.CRITICAL,
            f"{reverse('admin:files_rule_changelist')}?condition=away",
            f"Nothing is taken for {', '.join(names[:3])}{' and others' if len(names) > 3 else ''} "
            "until they are there again; what changes meanwhile is found then.",
        )


@attention(order=62, permission="files.view_filebatch")
def failed_files() -> Attention:
    """Files whose action gave up lately."""
    count = _count(
        "SELECT FROM files_event WHERE outcome = 'failed' AND finished_at >= %s",
        [clock.now() - LATELY],
    )
    return Attention(
        "file failed" if count == 1 else "files failed",
        count,
        Severity.WARNING,
        f"{reverse('admin:files_filebatch_changelist')}?state=failed",
        "Given up in the last 24 hours. See why, mend the cause, then retry the batch.",
    )


@attention(order=63, permission="files.view_watchedfile")
def untaken_files() -> Attention:
    """Files that match a rule and cannot be read."""
    count = _count("SELECT FROM files_file WHERE state = 'unreadable'", [])
    return Attention(
        "file cannot be read" if count == 1 else "files cannot be read",
        count,
        Severity.WARNING,
        f"{reverse('admin:files_watchedfile_changelist')}?state=unreadable",
        "They match a rule. Give the user of the watcher the right to read them; nothing else to do.",
    )


def _count(query: str, params: list[object]) -> int:
    found = sql.row(f"SELECT count(*) FROM ({query} LIMIT {MOST}) q", params)
    return int(found[0]) if found else 0
