"""The list of messages, newest first, and what the lane is doing."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.lists import quick_links, turning
from notifications.telegram.admin.forms import MessageFilterForm
from notifications.telegram.admin.pages import TelegramConsole, number_of
from notifications.telegram.lane_state import lane_state
from notifications.telegram.listing import MessagesPage, messages_page
from notifications.telegram.models import Chat, QueuedMessage

# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Due now", "state=due"),
    ("Failing now", "state=retrying"),
    ("Scheduled", "state=scheduled"),
    ("Sent", "state=sent"),
    ("Failed", "state=failed"),
    ("Cancelled", "state=cancelled"),
    ("Maybe twice", "doubled=maybe"),
)


class MessageLists(TelegramConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("lane/", self.lane, "lane"), *super().pages()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = MessageFilterForm(request.GET)
        page = _page(request, form)
        also = number_of(request.GET.get("also", ""))
        return self.show(
            request,
            "messages",
            "Telegram queue",
            quick=quick_links(form, QUICK),
            page=page,
            also=also,
            lane=lane_state(),
            **turning(request, form, page.after if page else None),
        )

    def lane(self, request: HttpRequest) -> HttpResponse:
        """What the lane is doing, for the page that is open already (htmx)."""
        return TemplateResponse(request, "admin/telegram/_lane.html", {"lane": lane_state()})


def _page(request: HttpRequest, form: MessageFilterForm) -> MessagesPage | None:
    """The page that the address asks for; None if the filter is wrong."""
    if not form.is_valid():
        return None
    return messages_page(form.where(), after=number_of(request.GET.get("after", "")))


def _found(wanted: str) -> str:
    """The address of what a person searched: a chat, the id of a message, or else a dedup key."""
    home = reverse("admin:telegram_queuedmessage_changelist")
    number = number_of(wanted.removeprefix("#"))
    if number is None:
        return f"{home}?{urlencode({'dedup_key': wanted[:160]})}"
    is_message = number > 0 and QueuedMessage.objects.filter(pk=number).exists()
    is_chat = not wanted.startswith("#") and (
        Chat.objects.filter(pk=number).exists()
        or QueuedMessage.objects.filter(telegram_id=number).exists()
    )
    if is_message and not is_chat:
        return reverse("admin:telegram_queuedmessage_change", args=[number])
    query = {"telegram_id": number, **({"also": number} if is_message else {})}
    return f"{home}?{urlencode(query)}"
