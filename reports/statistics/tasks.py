"""The jobs of statistics and reports."""

from datetime import date
from typing import Any

from jobs.ladders import REPORTS, Delays
from jobs.registry import job
from lib.errors import InputInvalid
from reports.statistics.models import ReportKind
from reports.statistics.services import (
    cohorts_compute,
    day_compute,
    days_compute,
    figures_prepare,
    latest_period,
    report_make,
    report_tell,
    reports_catch_up,
)

QUEUE = "maintenance"


@job(
    "reports.compute_daily_stats",
    queue=QUEUE,
    cron="5 0 * * *",
    concurrency=1,
    retry=Delays("5m"),  # analytics: once more; what is still missing is computed the next night
    timeout="15m",
)
def compute_daily_stats(day: str | None = None) -> dict[str, Any]:
    """Compute the days that are over: missed ones, and those that are not final; or the one named."""
    if day is not None:
        return {"days": [str(day_compute(day_read(day)).day)]}
    days = [str(row.day) for row in days_compute()]
    return {"days": days, "cohorts": cohorts_compute()}


@job(
    "reports.send_daily_report",
    queue=QUEUE,
    cron="0 6 * * *",
    concurrency=1,
    retry=REPORTS,
    critical=True,
    timeout="15m",
)
def send_daily_report(day: str | None = None) -> dict[str, Any]:
    """Tell the admins how yesterday was (or the day named), once per chat."""
    return _send(ReportKind.DAILY, day)


@job(
    "reports.send_weekly_report",
    queue=QUEUE,
    cron="0 7 * * 1",
    concurrency=1,
    retry=REPORTS,
    critical=True,
    timeout="15m",
)
def send_weekly_report(monday: str | None = None) -> dict[str, Any]:
    """Tell the admins how last week was (or the week from the Monday named), once per chat."""
    return _send(ReportKind.WEEKLY, monday)


def _send(kind: ReportKind, named: str | None) -> dict[str, Any]:
    figures_prepare()
    period = latest_period(kind) if named is None else day_read(named)
    report, is_new = report_make(kind=kind, period=period)
    told = report_tell(report)
    return {
        "report": report.pk,
        "period": str(period),
        "is_new": is_new,
        "chats": told,
        "late": reports_catch_up(kind),
    }


def day_read(text: str) -> date:
    """A day as 2026-11-22. Raises InputInvalid."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputInvalid(f"{text} is no day such as 2026-11-22") from None
