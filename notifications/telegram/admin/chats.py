"""What is known of chats: who cannot be reached, since when and why."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from notifications.telegram.admin.pages import TelegramConsole, number_of
from notifications.telegram.listing import MessageFilter, messages_page
from notifications.telegram.models import Chat, QueuedMessage
from notifications.telegram.services import REASONS
from notifications.telegram.story import chat_explain

PAGE = 50
# Why a chat may be closed, in a word or two; in full: services.REASONS.
CLOSED = {
    "blocked": "blocked the bot",
    "deactivated": "account is gone",
    "not_started": "never pressed Start",
    "not_found": "unknown id",
    "kicked": "bot thrown out",
    "to_bot": "is a bot",
}


@admin.register(Chat)
class ChatAdmin(TelegramConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("<str:chat_id>/change/", self.chat, "change")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Those that cannot be reached, the latest first; or any one by its id. Never counted."""
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            chat_id = number_of(wanted)
            if chat_id is not None and _is_known(chat_id):
                return HttpResponseRedirect(_address(chat_id))
            messages.error(request, f"Nothing is known of a chat {wanted[:40]}.")
            return HttpResponseRedirect(self.home())
        reason = request.GET.get("reason", "")
        reason = reason if reason in CLOSED else ""
        start = min(number_of(request.GET.get("start", "")) or 0, 100_000)
        found = Chat.objects.exclude(unreachable_since=None).order_by("-unreachable_since", "pk")
        if reason:
            found = found.filter(unreachable_reason=reason)
        rows = list(found[max(start, 0) : max(start, 0) + PAGE + 1])
        return self.show(
            request,
            "chats",
            "Telegram chats",
            chats=rows[:PAGE],
            following=start + PAGE if len(rows) > PAGE else 0,
            start=start,
            reason=reason,
            reasons=[(name, label, REASONS[name]) for name, label in CLOSED.items()],
        )

    def chat(self, request: HttpRequest, chat_id: str) -> HttpResponse:
        """One chat and its latest messages."""
        number = number_of(chat_id)
        if number is None or not _is_known(number):
            raise Http404(f"nothing is known of a chat {chat_id}")
        row = Chat.objects.filter(pk=number).first()
        return self.show(
            request,
            "chat",
            f"Telegram chat {number}",
            chat_id=number,
            chat=row,
            explanation=chat_explain(row),
            page=messages_page(MessageFilter(telegram_id=number)),
        )


def _is_known(chat_id: int) -> bool:
    return (
        Chat.objects.filter(pk=chat_id).exists()
        or QueuedMessage.objects.filter(telegram_id=chat_id).exists()
    )


def _address(chat_id: int) -> str:
    return reverse("admin:telegram_chat_change", args=[chat_id])
