"""Outages that ended so long ago that no page shows them."""

from datetime import timedelta

from lib import clock
from monitoring.checks.models import ServiceOutage

KEPT = timedelta(days=180)
BATCH = 1_000


def outages_forget() -> int:
    """Delete what ended longer ago than KEPT, in batches. Returns how many. Repeat-safe."""
    before, count = clock.now() - KEPT, 0
    while True:
        ids = ServiceOutage.objects.filter(ended_at__lt=before).values_list("pk", flat=True)[:BATCH]
        gone, _ = ServiceOutage.objects.filter(pk__in=list(ids)).delete()
        count += gone
        if gone < BATCH:
            return count
