"""Short ways for tests of the console: addresses, and the text of a page as a person reads it."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse


def to(name: str = "changelist", *args: Any, **query: Any) -> str:
    """The address of a page of the dialogs: to("change", id), to(archived="yes")."""
    address = reverse(f"admin:conversations_dialog_{name}", args=args)
    return f"{address}?{urlencode(query)}" if query else address


def notices(**query: Any) -> str:
    """The address of the list of notifications."""
    address = reverse("admin:conversations_notice_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def text(answer: Any) -> str:
    """What the page says below its heading, without tags, blanks folded."""
    inside = answer.content.decode().split('<div class="console"', 1)[-1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())


def said(answer: Any) -> list[str]:
    """The messages that the page shows to the user."""
    return [str(message) for message in answer.context["messages"]]
