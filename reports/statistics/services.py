"""What others may ask of statistics: compute a day, make and send a report, say who gets them."""

from datetime import date
from uuid import UUID

from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.registry import kind_get
from reports.statistics.cohorts import cohorts_compute
from reports.statistics.days.computing import day_compute, days_compute, days_due
from reports.statistics.days.spans import span_of
from reports.statistics.errors import DayNotOver
from reports.statistics.reporting.making import (
    figures_prepare,
    latest_period,
    report_ask,
    report_make,
    report_renew,
    reports_catch_up,
)
from reports.statistics.reporting.sending import recipients, report_send, report_tell
from reports.statistics.subscribing import subscription_end, subscription_set

__all__ = [
    "cohorts_compute",
    "day_compute",
    "days_ask",
    "days_compute",
    "days_due",
    "figures_prepare",
    "latest_period",
    "recipients",
    "report_ask",
    "report_make",
    "report_renew",
    "report_send",
    "report_tell",
    "reports_catch_up",
    "subscription_end",
    "subscription_set",
]
KIND = "reports.compute_daily_stats"


@transaction.atomic
def days_ask(*, by: Account, day: date | None = None) -> UUID:
    """Have days computed by a job: the one named, or all that are due. Raises DayNotOver.

    Repeat: while the job waits or runs it is found instead.
    """
    if day is not None and not span_of(day).is_over:
        raise DayNotOver(f"{day} is not over yet (days end at midnight UTC)")
    args = {} if day is None else {"day": str(day)}
    audit_write(by, "statistics.compute", "day", day or "due")
    return kind_get(KIND).enqueue(**args, unique=(KIND, str(day or "due"))).id
