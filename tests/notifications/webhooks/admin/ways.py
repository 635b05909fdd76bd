"""Short ways for tests of the console: addresses, and the text of a page as a person reads it."""

import re
from html import unescape
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode


def hooks(name: str = "changelist", *args: Any, **query: Any) -> str:
    """The address of a page of the endpoints: hooks("change", endpoint.pk)."""
    return _to("endpoint", name, args, query)


def sent(name: str = "changelist", *args: Any, **query: Any) -> str:
    """The address of a page of the deliveries: sent(state="failed")."""
    return _to("delivery", name, args, query)


def _to(model: str, name: str, args: tuple[Any, ...], query: dict[str, Any]) -> str:
    address = reverse(f"admin:webhooks_{model}_{name}", args=args)
    return f"{address}?{urlencode(query)}" if query else address


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
    """The deliveries that a list shows, in their order."""
    page = answer.context["page"]
    return [] if page is None else [row.pk for row in page.deliveries]
