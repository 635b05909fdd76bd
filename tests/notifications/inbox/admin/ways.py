"""Short ways for tests of the console: addresses, and the text of a page as a person reads it."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

from django.test import Client as Browser
from django.urls import reverse

from jobs.models import AuditEntry
from notifications.inbox.models import Notification, Recipient


def to(name: str = "changelist", *args: Any, model: str = "notification", **query: Any) -> str:
    """The address of a page: to("change", id), to(state="read"), to(model="pod")."""
    address = reverse(f"admin:inbox_{model}_{name}", args=args)
    return f"{address}?{urlencode(query, doseq=True)}" if query else address


def page_of(row: Notification | Recipient, name: str = "change") -> str:
    """The address of a page or an act of one notification or person."""
    return to(name, row.pk, model=type(row).__name__.lower())


def html(answer: Any) -> str:
    """What the page has below its heading."""
    return str(answer.content.decode().split('<div class="console"', 1)[-1])


def text(answer: Any) -> str:
    """The same, without tags, blanks folded."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html(answer))).split())


def said(answer: Any) -> list[str]:
    """The messages that the page shows to the user."""
    return [str(message) for message in answer.context["messages"]]


def ids(answer: Any) -> list[Any]:
    """The notifications that a list shows, in their order."""
    page = answer.context["page"]
    return [] if page is None else [row.pk for row in page.notifications]


def acts() -> list[tuple[str, str, str]]:
    """The audit log, oldest first: who, what, to which."""
    return [
        (entry.account_name, entry.action, entry.object_id)
        for entry in AuditEntry.objects.order_by("id")
    ]


def changes() -> dict[str, Any]:
    """What the latest line of the audit log keeps."""
    return dict(AuditEntry.objects.latest("id").changes)


def press(client: Browser, shown: Any, **more: Any) -> Any:
    """Send the hidden fields of a page that asks whether one is sure."""
    data: dict[str, Any] = {"once": shown.context.get("once", ""), **more}
    for name, value in shown.context["hidden"]:
        data.setdefault(name, [])
        data[name] = [*data[name], value] if isinstance(data[name], list) else value
    return client.post(shown.request["PATH_INFO"], data, follow=True)
