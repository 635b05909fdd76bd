"""Sending a report: once to each chat, whoever is killed in between, and again if a person asks."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from jobs.audit import Account, audit_write
from jobs.faults import fault
from lib import clock
from lib.errors import InputInvalid
from notifications.telegram.services import chat_check, message_queue
from reports.statistics.errors import NobodyToTell
from reports.statistics.models import (
    LANGUAGES,
    Report,
    ReportDelivery,
    ReportKind,
    ReportSubscription,
)
from reports.statistics.reporting.making import REPORT
from reports.statistics.reporting.telling import report_say

TYPE = "report"  # of the messages in the queue
NOBODY = "nobody"


def recipients(kind: str) -> dict[int, str]:
    """{chat: language} of those who get reports of a kind. One query.

    The chats of ADMIN_TELEGRAM_IDS get all of them, unless their own row says otherwise.
    """
    chats = dict.fromkeys(settings.ADMIN_TELEGRAM_IDS, settings.TELEGRAM_LANGUAGE)
    for row in ReportSubscription.objects.order_by("chat_id"):
        if row.wants_daily if kind == ReportKind.DAILY else row.wants_weekly:
            chats[row.chat_id] = row.language
        else:
            chats.pop(row.chat_id, None)
    return chats


def report_tell(report: Report) -> int:
    """Queue a report for everybody who gets it and has not had it. Returns for how many chats.

    Repeat: nobody is told twice. All in one transaction: killed before its end nobody is told, and
    the next try tells everybody. Locks: the report. A report that nobody gets is marked so.
    """
    chats = recipients(report.kind)
    texts = {language: report_say(report, language) for language in set(chats.values())}
    with transaction.atomic():
        locked = report_lock(report)
        had = set(
            ReportDelivery.objects.filter(report=locked, round=0).values_list("chat_id", flat=True)
        )
        new = [chat for chat in chats if chat not in had]
        for chat in new:
            _deliver(locked, chat, chats[chat], texts[chats[chat]], turn=0, by="")
            fault("report.queued")
        if new or had:
            locked.told_at, locked.skip_reason = locked.told_at or clock.now(), ""
        else:
            locked.skip_reason = NOBODY
        locked.save(update_fields=["told_at", "skip_reason"])
    return len(new)


@transaction.atomic
def report_send(
    *, report: Report, by: Account, chat_id: int | None = None, language: str = ""
) -> list[ReportDelivery]:
    """Send a report again, because a person asks: to one chat, or to everybody who gets it.

    Repeat: each call sends. Raises InputInvalid, NobodyToTell. Locks: the report.
    """
    if chat_id is None:
        chats = recipients(report.kind)
        if not chats:
            raise NobodyToTell
    else:
        chat_check(chat_id)
        chats = {chat_id: language or settings.TELEGRAM_LANGUAGE}
    if unknown := set(chats.values()) - dict(LANGUAGES).keys():
        raise InputInvalid(f"there is no report in {', '.join(sorted(unknown))}")
    locked = report_lock(report)
    last = ReportDelivery.objects.filter(report=locked).aggregate(last=Max("round"))["last"]
    name = by.get_username() if by is not None else ""
    made = [
        _deliver(locked, chat, tongue, report_say(locked, tongue), turn=(last or 0) + 1, by=name)
        for chat, tongue in chats.items()
    ]
    audit_write(by, "reports.send", REPORT, locked.pk, report=str(locked), chats=len(made))
    return made


def report_lock(report: Report) -> Report:
    """The report as it is now, held until the transaction ends."""
    return Report.objects.select_for_update(no_key=True).get(pk=report.pk)


def _deliver(
    report: Report, chat: int, language: str, texts: Iterable[str], *, turn: int, by: str
) -> ReportDelivery:
    """Queue the parts of a report for a chat, in order. The lane sends those of a chat as they came."""
    messages = [
        message_queue(
            telegram_id=chat,
            message=text,
            notification_type=TYPE,
            dedup_key=f"report:{report.kind}:{report.period}:{chat}:{turn}:{number}",
        )[0]
        for number, text in enumerate(texts)
    ]
    return ReportDelivery.objects.create(
        report=report,
        chat_id=chat,
        round=turn,
        language=language,
        message_ids=[message.pk for message in messages],
        sent_by=by,
        queued_at=clock.now(),
    )
