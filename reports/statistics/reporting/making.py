"""Making a report: one row per kind and period, whoever asks and how often."""

from datetime import date, timedelta

from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.registry import kind_get
from lib import clock
from reports.statistics.days.computing import days_compute
from reports.statistics.days.spans import DAY, span_of, today
from reports.statistics.errors import DayNotOver
from reports.statistics.models import DailyStat, Report, ReportKind
from reports.statistics.reporting.payload import payload_make, period_of

REPORT = "report"  # what the audit log calls it
JOBS = {
    ReportKind.DAILY: "reports.send_daily_report",
    ReportKind.WEEKLY: "reports.send_weekly_report",
}
ARGS = {ReportKind.DAILY: "day", ReportKind.WEEKLY: "monday"}
LATE = "late"  # written afterwards: nobody wants to read a week of mornings at once
BACK = {ReportKind.DAILY: 7, ReportKind.WEEKLY: 4}  # periods that are written afterwards


def latest_period(kind: str) -> date:
    """The first day of the last period that is over."""
    now = today()
    if kind == ReportKind.DAILY:
        return now - DAY
    return now - timedelta(days=now.weekday() + 7)


def report_make(*, kind: str, period: date) -> tuple[Report, bool]:
    """The report of a period, and whether it was made just now.

    Repeat: the first one, as it was made; one that nobody was told and that was made before its figures
    were final is made anew. Raises PeriodInvalid, DayNotOver, ReportNotPossible.
    """
    _, last = period_of(kind, period)
    if not span_of(last).is_over:
        raise DayNotOver(f"{last} is not over yet (days end at midnight UTC)")
    found = Report.objects.filter(kind=kind, period=period).first()
    if found is not None:
        return _finished(found), False
    payload = payload_make(kind, period)
    with transaction.atomic():
        return Report.objects.get_or_create(
            kind=kind, period=period, defaults={"payload": payload, "made_at": clock.now()}
        )


@transaction.atomic
def _finished(report: Report) -> Report:
    """What a person had made in the night is not what everybody is told in the morning."""
    if report.told_at is not None or report.payload["is_final"]:
        return report
    locked = Report.objects.select_for_update(no_key=True).get(pk=report.pk)
    if locked.told_at is None:
        _write(locked)
    return locked


def _write(locked: Report) -> None:
    locked.payload = payload_make(locked.kind, locked.period)
    locked.made_at = clock.now()
    locked.save(update_fields=["payload", "made_at"])


@transaction.atomic
def report_renew(*, report: Report, by: Account) -> Report:
    """Write the report anew from the figures as they are now; what was sent stays in the chats.

    Raises ReportNotPossible. Locks: the report.
    """
    locked = Report.objects.select_for_update(no_key=True).get(pk=report.pk)
    _write(locked)
    audit_write(by, "reports.renew", REPORT, locked.pk, report=str(locked))
    return locked


@transaction.atomic
def report_ask(*, kind: str, period: date, is_told: bool, by: Account) -> Report:
    """Make a report because a person wants it now, and have it told by a job if they say so.

    Repeat: the same report; who had it is not told again. Raises PeriodInvalid, DayNotOver,
    ReportNotPossible.
    """
    report, is_new = report_make(kind=kind, period=period)
    audit_write(by, "reports.make", REPORT, report.pk, report=str(report), told=is_told)
    if is_told:
        name = JOBS[ReportKind(kind)]
        args = {ARGS[ReportKind(kind)]: str(period)}
        kind_get(name).enqueue(**args, unique=(name, str(period)))
    elif is_new:
        Report.objects.filter(pk=report.pk).update(skip_reason=LATE)
    return report


def reports_catch_up(kind: str) -> int:
    """Write the reports of periods that were missed, untold. Returns how many.

    Only of periods all of whose days are computed, and never of the last one: that is still told.
    """
    step = DAY if kind == ReportKind.DAILY else 7 * DAY
    latest = latest_period(kind)
    periods = [latest - step * number for number in range(BACK[ReportKind(kind)], 0, -1)]
    made = set(
        Report.objects.filter(kind=kind, period__gte=periods[0])
        .exclude(told_at=None, payload__is_final=False)  # these are finished, as far as they can be
        .values_list("period", flat=True)
    )
    count = 0
    for period in periods:
        first, last = period_of(kind, period)
        days = DailyStat.objects.filter(day__gte=first, day__lte=last, is_final=True).count()
        if period in made or days < (last - first).days + 1:
            continue
        report, is_new = report_make(kind=kind, period=period)
        if is_new:
            Report.objects.filter(pk=report.pk, told_at=None).update(skip_reason=LATE)
            count += 1
    return count


def figures_prepare() -> None:
    """Compute the days that are due, so that a report stands on final figures."""
    days_compute()
