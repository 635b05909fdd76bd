"""Six weeks of daily statistics and the reports made of them, out of the shop's own past.

Who joined, whose time ended, what was paid and how the servers did is computed as on any night. What
nobody counted because the platform was not there yet (statuses at midnight, messages, errors, acts of
staff) is made up, and grows with the shop.
"""

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings

from lib import clock
from reports.statistics.days.people import Moment, moment_of
from reports.statistics.days.spans import DAY, Span, span_of, today
from reports.statistics.models import DailyStat, Report, ReportKind
from reports.statistics.services import (
    cohorts_compute,
    day_compute,
    latest_period,
    report_make,
    report_tell,
    subscription_set,
)
from subscriptions.models import SubscriberCount

DAYS = 45
REPORTS = {ReportKind.DAILY: (7, DAY), ReportKind.WEEKLY: (3, 7 * DAY)}
TEAM_CHAT = -1_001_700_000_001
_ERRORS = (
    ("CardDeclined: the bank refused: insufficient funds (code 51)", 0.5),
    ("PanelUnreachable: fra-1: connection refused while sending revision 41", 0.3),
    ("KeyError: 'amount'", 0.15),
    ("ValueError: there is no plan 'premum'; there are basic, family, premium", 0.05),
)


def statistics_make() -> None:
    """Count the past, compute its days, and report of them. Not repeat-safe: it makes them again."""
    dice = random.Random(13)  # noqa: S311 - data to look at
    spans = [span_of(today() - DAY * back) for back in range(DAYS, 0, -1)]
    moments = {span.day: moment_of(span) for span in spans}
    SubscriberCount.objects.bulk_create(_count(span, moments[span.day], dice) for span in spans)
    for span in spans:
        _fill(day_compute(span.day), moments[span.day], dice)
    cohorts_compute()
    subscription_set(
        chat_id=TEAM_CHAT, language="ru", daily=False, weekly=True, title="Finance team", by=None
    )
    for kind, (count, step) in REPORTS.items():
        for back in range(count - 1, -1, -1):
            _report(kind, latest_period(kind) - step * back, is_last=back == 0)


def _count(span: Span, then: Moment, dice: random.Random) -> SubscriberCount:
    """What the platform would have counted five minutes before midnight."""
    return SubscriberCount(
        at=span.end - timedelta(minutes=5), active=then.active, disabled=then.disabled,
        limited=then.limited, expired=then.expired, source="panel",
        total=then.active + then.disabled + then.limited + then.expired,
        online=round(then.active * dice.uniform(0.26, 0.38)),
    )  # fmt: skip


def _fill(row: DailyStat, then: Moment, dice: random.Random) -> None:
    """What a platform that was there already would have seen."""
    active = row.users_active or 0
    errors = dice.randint(20, 60)
    made_up: dict[str, Any] = {
        "users_lost": then.lost,
        "messages_sent": round(active * dice.uniform(0.10, 0.16)) + 40,
        "messages_failed": dice.randint(0, 6),
        "operations": {
            "subscriber.extended": dice.randint(1, 9), "jobs.replay": dice.randint(0, 4) + 1,
            "payments.recheck": dice.randint(0, 3) + 1,
        },
        "errors": [
            {"text": text, "count": count}
            for text, part in _ERRORS
            if (count := round(errors * part * dice.uniform(0.7, 1.3)))
        ],
        "api_latency_ms": round(dice.uniform(60, 110), 1),
        "is_final": True,
    }  # fmt: skip
    made_up["errors_count"] = sum(each["count"] for each in made_up["errors"])
    DailyStat.objects.filter(pk=row.pk).update(**made_up)


def _report(kind: ReportKind, period: date, *, is_last: bool) -> None:
    """The last one goes out now; the others did in their time."""
    report, _ = report_make(kind=kind, period=period)
    if is_last and settings.ADMIN_TELEGRAM_IDS:
        report_tell(report)
        return
    hour = 6 if kind == ReportKind.DAILY else 7
    after = period + REPORTS[kind][1]
    moment = datetime.combine(after, time(hour), clock.now().tzinfo)
    Report.objects.filter(pk=report.pk).update(told_at=moment, made_at=moment)
