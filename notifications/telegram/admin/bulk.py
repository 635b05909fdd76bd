"""Acting on many messages."""

from typing import Any

from jobs.admin.many import Many, ManyDeed, ManyPages
from notifications.telegram.admin.forms import MessageFilterForm
from notifications.telegram.admin.pages import TelegramConsole, number_of
from notifications.telegram.bulk import ACTIONS, MOST, BulkResult, messages_bulk
from notifications.telegram.listing import MessageFilter, shown
from notifications.telegram.models import QueuedMessage

DEEDS = {
    "retry": ManyDeed(
        verb="Retry",
        done="put back into the queue",
        takes={"failed", "cancelled"},
        means="Each is due at once and gets all its tries back, in the order of its chat.",
    ),
    "cancel": ManyDeed(
        verb="Cancel",
        done="cancelled",
        takes={"pending"},
        means="They are never sent. Each can be brought back by a retry.",
        tone="danger",
    ),
}
assert DEEDS.keys() == ACTIONS.keys()


def _about(result: BulkResult) -> dict[str, Any]:
    found = shown(QueuedMessage.objects.filter(pk__in=result.sample))
    return {"sample": list(found.order_by("-id"))}


class BulkPages(ManyPages, TelegramConsole):
    many = Many(
        noun="message",
        permission="telegram.operate_message",
        deeds=DEEDS,
        most=MOST,
        where=MessageFilter,
        filter_form=MessageFilterForm,
        key=number_of,
        bulk=messages_bulk,
        about=_about,
    )
