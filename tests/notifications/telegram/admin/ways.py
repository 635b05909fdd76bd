"""Short ways for tests of the console: addresses, and the text of a page as a person reads it."""

import re
from html import unescape
from typing import Any

from django.urls import reverse

from jobs.models import AuditEntry
from notifications.telegram.models import QueuedMessage


def to(name: str = "changelist", *args: Any, **query: Any) -> str:
    """The address of a page of the queue: to("change", 7), to(state="failed")."""
    address = reverse(f"admin:telegram_queuedmessage_{name}", args=args)
    return f"{address}?{'&'.join(f'{k}={v}' for k, v in query.items())}" if query else address


def page_of(row: QueuedMessage, name: str = "change") -> str:
    """The address of a page or an act of one message."""
    return to(name, row.pk)


def html(answer: Any) -> str:
    """What the page has below its heading."""
    return str(answer.content.decode().split('<div class="console"', 1)[-1])


def text(answer: Any) -> str:
    """The same, without tags, blanks folded."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html(answer))).split())


def said(answer: Any) -> list[str]:
    """The messages that the page shows to the user."""
    return [str(message) for message in answer.context["messages"]]


def ids(answer: Any) -> list[int]:
    """The messages that a list shows, in their order."""
    page = answer.context["page"]
    return [] if page is None else [row.pk for row in page.messages]


def acts() -> list[tuple[str, str, str]]:
    """The audit log, oldest first: who, what, to which."""
    return [
        (entry.account_name, entry.action, entry.object_id)
        for entry in AuditEntry.objects.order_by("id")
    ]
