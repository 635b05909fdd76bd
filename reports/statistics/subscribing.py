"""Who gets reports: chats that a person has put down."""

from django.db import transaction

from jobs.audit import Account, audit_write
from lib.errors import InputInvalid, NotFound
from notifications.telegram.services import chat_check
from reports.statistics.models import LANGUAGES, ReportSubscription

OBJECT = "report subscription"  # what the audit log calls it


@transaction.atomic
def subscription_set(
    *, chat_id: int, language: str, daily: bool, weekly: bool, title: str = "", by: Account
) -> ReportSubscription:
    """Say which reports a chat gets, and in which language. Raises InputInvalid.

    Repeat: the same row. With neither, an admin's chat gets none.
    """
    chat_check(chat_id)
    if language not in dict(LANGUAGES):
        raise InputInvalid(f"there is no report in {language}")
    title = " ".join(title.split())[:100]
    row, _ = ReportSubscription.objects.update_or_create(
        chat_id=chat_id,
        defaults={
            "language": language,
            "wants_daily": daily,
            "wants_weekly": weekly,
            "title": title,
        },
        create_defaults={
            "language": language,
            "wants_daily": daily,
            "wants_weekly": weekly,
            "title": title,
            "created_by": by.get_username() if by is not None else "",
        },
    )
    audit_write(
        by, "reports.subscribe", OBJECT, chat_id, language=language, daily=daily, weekly=weekly
    )
    return row


@transaction.atomic
def subscription_end(*, chat_id: int, by: Account) -> None:
    """Forget what was said of a chat: it gets no reports, an admin's all. Raises NotFound."""
    deleted, _ = ReportSubscription.objects.filter(chat_id=chat_id).delete()
    if not deleted:
        raise NotFound(f"chat {chat_id} has no subscription")
    audit_write(by, "reports.unsubscribe", OBJECT, chat_id)
