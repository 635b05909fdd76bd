"""What of statistics and reports needs a person now, for the first page of the console."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.urls import reverse

from lib import clock
from lib.now import Attention, Severity, attention
from reports.statistics.days.computing import days_due
from reports.statistics.days.spans import DAY
from reports.statistics.models import DailyStat, Report, ReportKind
from reports.statistics.reporting.making import latest_period
from reports.statistics.reporting.sending import recipients

PATIENCE = timedelta(hours=1)  # with its retries a report may take that long
_AT = {ReportKind.DAILY: time(6), ReportKind.WEEKLY: time(7)}


def report_missed(kind: str) -> date | None:
    """The period whose report should have been told by now and was not; None: all is well.

    A platform that has computed no day yet owes none.
    """
    now, period = clock.now().astimezone(UTC), latest_period(kind)
    after = period + (DAY if kind == ReportKind.DAILY else 7 * DAY)
    due = datetime.combine(after, _AT[ReportKind(kind)], UTC) + PATIENCE
    if now < due or not DailyStat.objects.filter(day__lt=period).exists():
        return None
    told = Report.objects.filter(kind=kind, period=period).exclude(told_at=None, skip_reason="")
    return None if told.exists() else period


@attention(order=70, permission="statistics.view_report")
def missed_reports() -> Iterator[Attention]:
    """Reports that nobody got although they were due."""
    for kind in ReportKind:
        period = report_missed(kind)
        if period is None:
            continue
        yield Attention(
            f"{kind.label} report was not sent",
            1,
            Severity.WARNING,
            reverse("admin:statistics_report_changelist"),
            f"That of {period:%-d %b %Y} (UTC) is missing. See why its job gave up, then make it now.",
        )


@attention(order=71, permission="statistics.view_dailystat")
def missed_days() -> Attention | None:
    """Days that should have been computed this night and were not."""
    now = clock.now()
    missing = [
        day
        for day in days_due(now)
        if datetime.combine(day + DAY, time(0, 5), UTC) + PATIENCE < now
    ]
    known = set(DailyStat.objects.filter(day__in=missing).values_list("day", flat=True))
    count = len([day for day in missing if day not in known])
    return Attention(
        "day without statistics" if count == 1 else "days without statistics",
        count,
        Severity.WARNING,
        reverse("admin:statistics_dailystat_changelist"),
        "They are computed at 00:05 UTC, or now by the button on that page.",
    )


@attention(order=72, permission="statistics.view_report")
def unheard_reports() -> Attention | None:
    """A bot is there, and no chat gets the reports."""
    if not settings.TELEGRAM_BOT_TOKEN or recipients(ReportKind.DAILY):
        return None
    return Attention(
        "reports go to nobody",
        1,
        Severity.NOTICE,
        reverse("admin:statistics_report_changelist"),
        "Subscribe a chat there, or name one in ADMIN_TELEGRAM_IDS.",
    )
