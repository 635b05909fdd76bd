"""The jobs of retention. Each may be run at any time, beside everything else that runs."""

from typing import Any

from jobs.context import current_job
from jobs.ladders import CLEANUP
from jobs.registry import job
from reports.retention.days import days_prepare_all, days_tell
from reports.retention.policies import policy_get
from reports.retention.running import retention_do

_TIMEOUT = "2h"


@job("reports.prepare_partitions", queue="maintenance", every="1h", immediate=True, single=True,
     retry=CLEANUP, timeout="5m")  # fmt: skip
def prepare_partitions() -> dict[str, Any]:
    """Make the next days of partitioned tables; tell if one is missing or rows stand outside of all."""
    return {"made": days_prepare_all(), "in_trouble": days_tell()}


@job("reports.clean_notification_queue", queue="maintenance", cron="0 1 * * *", retry=CLEANUP,
     timeout=_TIMEOUT, concurrency=1)  # fmt: skip
def clean_notification_queue(dry_run: bool = False) -> dict[str, Any]:
    """Delete Telegram messages sent, failed or cancelled more than CLEANUP_NOTIFICATION_DAYS ago."""
    return _clean("reports.clean_notification_queue", dry_run)


@job("reports.clean_tokens", queue="maintenance", cron="0 2 * * *", retry=CLEANUP, timeout=_TIMEOUT,
     concurrency=1)  # fmt: skip
def clean_tokens(dry_run: bool = False) -> dict[str, Any]:
    """Delete tokens that ended or whose account is off, and sessions that ended."""
    return _clean("reports.clean_tokens", dry_run)


@job("reports.clean_audit", queue="maintenance", cron="0 3 * * 0", retry=CLEANUP, timeout=_TIMEOUT,
     concurrency=1)  # fmt: skip
def clean_audit(dry_run: bool = False) -> dict[str, Any]:
    """Delete lines of the audit log older than CLEANUP_AUDIT_RETENTION_DAYS."""
    return _clean("reports.clean_audit", dry_run)


@job("reports.clean_webhooks", queue="maintenance", cron="0 3 * * 1", retry=CLEANUP,
     timeout=_TIMEOUT, concurrency=1)  # fmt: skip
def clean_webhooks(dry_run: bool = False) -> dict[str, Any]:
    """Delete incoming webhooks that are dealt with, after CLEANUP_WEBHOOK_RETENTION_DAYS."""
    return _clean("reports.clean_webhooks", dry_run)


@job("reports.clean_caches", queue="maintenance", cron="0 4 * * *", retry=CLEANUP, timeout=_TIMEOUT,
     concurrency=1)  # fmt: skip
def clean_caches(dry_run: bool = False) -> dict[str, Any]:
    """Drop old days of measurements, and keys in Redis that nobody would take away."""
    return _clean("reports.clean_caches", dry_run)


def _clean(kind: str, is_dry: bool) -> dict[str, Any]:
    context = current_job()
    if context is None:
        raise RuntimeError(f"runs as a job only: manage.py run_job {kind}")
    return retention_do(policy_get(kind), is_dry=is_dry, context=context)
