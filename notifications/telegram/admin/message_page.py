"""The page of one message: why it is where it is, its tries, how it looks, what is known of its chat."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern

from jobs.admin.pages import deed
from notifications.telegram.admin.pages import TelegramConsole
from notifications.telegram.models import QueuedMessage
from notifications.telegram.preview import preview_sent
from notifications.telegram.services import message_cancel, message_explain, message_retry
from notifications.telegram.story import (
    chat_facts,
    message_acts,
    message_obstacles,
    message_tries,
)
from notifications.telegram.templatetags.telegram_console import condition


class MessagePages(TelegramConsole):
    def pages(self) -> list[URLPattern]:
        one = "<int:message_id>/"
        return [
            *super().pages(),
            self.at(f"{one}change/", self.message, "change"),
            self.at(f"{one}live/", self.message_live, "live"),
            self.at(f"{one}retry/", self.retry, "retry"),
            self.at(f"{one}cancel/", self.cancel, "cancel"),
        ]

    def message(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """The page. Its queries are few and do not depend on how many messages there are."""
        row = _get(message_id)
        return self.show(
            request,
            "message",
            f"Telegram message {row.pk}",
            message=row,
            preview=preview_sent(row.message, row.parse_mode),
            tries=message_tries(row),
            chat=chat_facts(row.telegram_id, besides=row.pk),
            acts=message_acts(row),
            can=_possible(row),
            **_live(row),
        )

    def message_live(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """The upper part of the page, for the page that is open already (htmx).

        If the message has moved on since (`seen` differs), the page is told to load again.
        """
        row = _get(message_id)
        live = _live(row)
        if request.GET.get("seen") != live["seen"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return TemplateResponse(
            request, "admin/telegram/_message_live.html", {"message": row, **live}
        )

    @deed("telegram.operate_message")
    def retry(self, request: HttpRequest, message_id: int) -> str:
        message_retry(message_id=message_id, by=request.user)
        return f"Message {message_id} is due now, with all its tries."

    @deed("telegram.operate_message")
    def cancel(self, request: HttpRequest, message_id: int) -> str:
        message_cancel(message_id=message_id, by=request.user)
        return f"Message {message_id} is cancelled; it is never sent."


def _get(message_id: int) -> QueuedMessage:
    row = QueuedMessage.objects.filter(pk=message_id).first() if message_id < 2**63 else None
    if row is None:
        raise Http404(f"there is no message {message_id}")
    return row


def _live(row: QueuedMessage) -> dict[str, Any]:
    state = condition(row)
    return {
        "condition": state,
        "explanation": message_explain(row),
        "obstacles": message_obstacles(row),
        "seen": f"{state}.{row.attempts}.{len(row.tries)}",
        "is_open": row.status == QueuedMessage.Status.PENDING,
    }


def _possible(row: QueuedMessage) -> dict[str, bool]:
    """Which buttons make sense; the services decide."""
    is_over = row.status in {QueuedMessage.Status.FAILED, QueuedMessage.Status.CANCELLED}
    return {
        "retry": is_over,
        "cancel": row.status == QueuedMessage.Status.PENDING and row.claimed_at is None,
    }
