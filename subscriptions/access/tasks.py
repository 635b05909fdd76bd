"""The job that compares provider, ledger and panel."""

from jobs.ladders import SYNC
from jobs.models import Priority
from jobs.registry import job
from subscriptions.access.reconciling import access_reconcile


@job(
    "payments.reconcile_access",
    queue="notifications",
    priority=Priority.HIGH,
    every="5m",
    retry=SYNC,
    timeout="4m",
    single=True,
)
def reconcile_access() -> dict[str, int]:
    """Find who paid and is not served as he paid: open gaps, close those that are over, mend what may be."""
    return access_reconcile()
