"""Acting on many broadcasts."""

from typing import Any

from jobs.admin.asked import uuid_of
from jobs.admin.many import Many, ManyDeed, ManyPages
from notifications.broadcasts.admin.forms import BroadcastFilterForm
from notifications.broadcasts.admin.listing import (
    MOST,
    BroadcastFilter,
    BulkResult,
    audience_words,
    broadcasts_bulk,
)
from notifications.broadcasts.admin.pages import OPERATE, BroadcastConsole
from notifications.broadcasts.models import Broadcast

DEEDS = {
    "pause": ManyDeed(
        verb="Pause",
        done="paused",
        takes={"sending"},
        means="Nothing more of them is sent until somebody resumes them.",
    ),
    "resume": ManyDeed(
        verb="Resume",
        done="resumed",
        takes={"paused"},
        means="They go on where they stopped; nobody gets one of them twice.",
    ),
    "cancel": ManyDeed(
        verb="Cancel",
        done="cancelled",
        takes={"draft", "scheduled", "sending", "paused"},
        means="Who has not got them yet never will. This cannot be undone.",
        tone="danger",
    ),
}


def _about(result: BulkResult) -> dict[str, Any]:
    rows = list(Broadcast.objects.filter(pk__in=result.sample).order_by("-id"))
    return {"sample": rows, "audiences": audience_words(rows)}


class BulkPages(ManyPages, BroadcastConsole):
    many = Many(
        noun="broadcast",
        permission=OPERATE,
        deeds=DEEDS,
        most=MOST,
        where=BroadcastFilter,
        filter_form=BroadcastFilterForm,
        key=uuid_of,
        bulk=broadcasts_bulk,
        about=_about,
    )
