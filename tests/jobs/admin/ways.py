"""Short ways for tests of the console: addresses, and the text of a page as a person reads it."""

import re
from html import unescape
from typing import Any
from uuid import UUID

from django.urls import reverse

from jobs.models import AuditEntry


def to(name: str, *args: Any) -> str:
    """The address of a page of the console: to("jobrecord_change", job_id)."""
    return reverse(f"admin:jobs_{name}", args=args)


def job(job_id: UUID, page: str = "change") -> str:
    """The address of a page or an act of one job."""
    return to(f"jobrecord_{page}", job_id)


def text(answer: Any) -> str:
    """What the page says below its heading, without tags, blanks folded."""
    html = answer.content.decode()
    inside = html.split('<div class="console"', 1)[-1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())


def said(answer: Any) -> list[str]:
    """The messages that the page shows to the user."""
    return [str(message) for message in answer.context["messages"]]


def ids(answer: Any) -> list[UUID]:
    """The jobs that a list shows, in their order."""
    page = answer.context["page"]
    return [] if page is None else [row.pk for row in page.jobs]


def acts() -> list[tuple[str, str, str]]:
    """The audit log, oldest first: who, what, to which."""
    return [
        (entry.account_name, entry.action, entry.object_id)
        for entry in AuditEntry.objects.order_by("id")
    ]


def is_redirect(answer: Any, address: str) -> bool:
    """Whether the answer leads there."""
    return bool(answer.status_code == 302 and answer.headers["Location"] == address)
