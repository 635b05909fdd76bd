"""Acting on many notifications."""

from typing import Any

from django.http import QueryDict

from jobs.admin.asked import uuid_of
from jobs.admin.many import Many, ManyDeed, ManyPages
from notifications.inbox.admin.forms import NotificationFilterForm
from notifications.inbox.admin.pages import InboxConsole
from notifications.inbox.bulk import ACTIONS, MOST, BulkResult, notifications_bulk
from notifications.inbox.models import Notification
from notifications.inbox.selectors.notifications import NotificationFilter, screens_of, shown

DEEDS = {
    "recall": ManyDeed(
        verb="Recall",
        done="recalled",
        takes={"unread", "deferred"},
        means="They vanish from every screen that shows them, and no screen gets them any more.",
        tone="danger",
    ),
    "expire": ManyDeed(
        verb="Expire",
        done="expired",
        takes={"unread"},
        means="They end as if their time had run out: off the screens, kept in the history.",
        tone="danger",
    ),
}
assert DEEDS.keys() == ACTIONS.keys()


def _asked(sent: QueryDict) -> dict[str, Any]:
    """Why, for the audit log."""
    return {"reason": sent.get("reason", "")[:200]}


def _about(result: BulkResult) -> dict[str, Any]:
    found = shown(Notification.objects.filter(pk__in=result.sample))
    return {"sample": list(found.order_by("-id")), "screens": screens_of(result.sample)}


class BulkPages(ManyPages, InboxConsole):
    many = Many(
        noun="notification",
        permission="inbox.change_notification",
        deeds=DEEDS,
        most=MOST,
        where=NotificationFilter,
        since="accepted_from",
        until="accepted_to",
        filter_form=NotificationFilterForm,
        key=uuid_of,
        bulk=notifications_bulk,
        asked=_asked,
        about=_about,
    )
