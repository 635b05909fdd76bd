"""What of the exports needs a person now, for the first page of the console."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse

from lib import clock
from lib.now import Attention, Severity, attention
from reports.exports.models import Export, ExportState

LATELY = timedelta(days=1)
SLOW = timedelta(minutes=15)
MOST = 1000  # rows are counted no further


@attention(order=60, permission="exports.view_export")
def failed_exports() -> Iterator[Attention]:
    """Files that somebody waits for in vain, or for long."""
    home, now = reverse("admin:exports_export_changelist"), clock.now()
    failed = Export.objects.filter(state=ExportState.FAILED, finished_at__gte=now - LATELY)
    count = failed[:MOST].count()
    yield Attention(
        "export failed today" if count == 1 else "exports failed today",
        count,
        Severity.NOTICE,
        f"{home}?state=failed",
        "The page of each says why. Put it right, then order it again.",
    )
    late = Export.objects.filter(state=ExportState.WAITING, created_at__lt=now - SLOW)
    count = late[:MOST].count()
    yield Attention(
        "export waits for long" if count == 1 else "exports wait for long",
        count,
        Severity.WARNING,
        f"{home}?state=waiting",
        "No worker takes them up: look at the queue default, and at what is being written now.",
    )
