"""Short ways for tests of the console: addresses, what a page says, and a broadcast with a past."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from jobs.testing import drain
from notifications.broadcasts.models import Broadcast, LedgerRow
from notifications.broadcasts.services import broadcast_send_now
from tests.notifications.broadcasts.rows import broadcast_make, people_make
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox


def to(name: str = "changelist", *args: Any, model: str = "broadcast", **query: Any) -> str:
    """The address of a page: to("change", id), to(status="sent"), to(model="audience")."""
    address = reverse(f"admin:broadcasts_{model}_{name}", args=args)
    return f"{address}?{urlencode(query, doseq=True)}" if query else address


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
    """The broadcasts that a list shows, in their order."""
    page = answer.context["page"]
    return [] if page is None else [row.pk for row in page.rows]


def logins(answer: Any) -> list[str]:
    """The people that a ledger shows, in their order."""
    page = answer.context["page"]
    return [] if page is None else [entry.login for entry in page.entries]


def press(client: Client, shown: Any, **more: Any) -> Any:
    """Send the hidden fields of a page that asks whether one is sure."""
    data: dict[str, Any] = {"once": shown.context.get("once", ""), **more}
    for name, value in shown.context.get("hidden", []):
        data.setdefault(name, [])
        data[name] = [*data[name], value] if isinstance(data[name], list) else value
    return client.post(shown.request["PATH_INFO"], data, follow=True)


def settle(row: Broadcast) -> Broadcast:
    """Let the workers work until everybody has their fate. The bot may have to wait for its pace."""

    def is_over() -> bool:
        drain()
        row.refresh_from_db()
        return row.status not in {"sending", "scheduled"}

    until(is_over, "the broadcast is over")
    return row


def sent_make(bot: Sandbox, *, people: int = 5, **changes: Any) -> Broadcast:
    """A broadcast to Telegram that u2 and u4 have not got: they have blocked the bot."""
    people_make(people, telegram=True)
    bot.behave(1002, "blocked")
    bot.behave(1004, "blocked")
    row = broadcast_make(channels=["telegram"], title="Maintenance on Sunday", **changes)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    settle(row)
    assert (row.status, row.failed) == ("sent", 2)
    return row


def ledger_ids(row: Broadcast, **where: Any) -> list[int]:
    """The ids of rows of the ledger."""
    found = LedgerRow.objects.filter(broadcast_id=row.pk, **where).order_by("id")
    return list(found.values_list("id", flat=True))


def draft(**changes: Any) -> dict[str, Any]:
    """What the form of a broadcast sends."""
    return {
        "title": "Maintenance on Sunday",
        "body": "We are back at noon.",
        "title_ru": "",
        "body_ru": "",
        "parse_mode": "",
        "channels": ["inbox"],
        "extra": "",
        "audience_type": "all_users",
        "match": "all",
        "conditions": "[]",
        "ids": "",
        "audience_id": "",
        "canary_percent": "0",
        "canary_max_errors": "5",
        **changes,
    }
