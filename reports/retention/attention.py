"""What of retention needs a person now, for the first page of the console."""

from collections.abc import Iterator

from django.urls import reverse

from lib.now import Attention, Severity, attention
from reports.retention.days import days_now
from reports.retention.selectors import failed_kinds


@attention(order=80, permission="retention.view_retentionrun")
def unprepared_days() -> Iterator[Attention]:
    """Partitioned tables without their next days, or with rows outside of all days."""
    troubles = [f"{each.table}: {each.trouble}" for each in days_now() if each.trouble]
    if troubles:
        yield Attention(
            "table without its days" if len(troubles) == 1 else "tables without their days",
            len(troubles),
            Severity.WARNING,
            reverse("admin:retention_retentionrun_changelist"),
            f"{'; '.join(troubles[:3])}. Run reports.prepare_partitions; if it stays, see the runbook.",
        )


@attention(order=81, permission="retention.view_retentionrun")
def failed_runs() -> Iterator[Attention]:
    """Kinds of cleanup whose last real run failed."""
    if kinds := failed_kinds():
        yield Attention(
            "cleanup failed" if len(kinds) == 1 else "cleanups failed",
            len(kinds),
            Severity.WARNING,
            f"{reverse('admin:retention_retentionrun_changelist')}?state=failed",
            f"{', '.join(kinds)}: see why, then run it again. What is old stays until then.",
        )
