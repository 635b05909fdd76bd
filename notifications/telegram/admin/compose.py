"""Writing a message by hand: seen as Telegram will show it before it is queued; tests to the admins."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.pages import check
from lib.errors import DomainError
from notifications.telegram.admin.forms import TEST, ComposeForm
from notifications.telegram.admin.pages import TelegramConsole, number_of
from notifications.telegram.models import QueuedMessage
from notifications.telegram.preview import Preview, preview_make
from notifications.telegram.services import message_queue
from notifications.telegram.templates import LANGUAGES, preview, registry


class ComposePages(TelegramConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("compose/", self.compose, "compose"),
            self.at("compose/preview/", self.compose_preview, "compose_preview"),
            *super().pages(),
        ]

    def compose(self, request: HttpRequest) -> HttpResponse:
        """GET: the form. POST: queue it, or send it to the admins first."""
        check(request, "telegram.send_message")
        is_test = request.POST.get("go") == "test"
        if request.method != "POST":
            return self._form(request, ComposeForm(initial=_beginning(request)))
        form = ComposeForm(request.POST, for_test=is_test)
        if not form.is_valid():
            return self._form(request, form)
        if is_test:
            self._queue_tests(request, form)
            return self._form(request, form)
        return self._queue(request, form)

    def compose_preview(self, request: HttpRequest) -> HttpResponse:
        """How a text would look, for the form that is being filled in."""
        check(request, "telegram.send_message")
        found = preview_make(
            request.POST.get("message", "").replace("\r\n", "\n"), request.POST.get("parse_mode")
        )
        return JsonResponse(_as_json(found))

    def _queue(self, request: HttpRequest, form: ComposeForm) -> HttpResponse:
        given = form.cleaned_data
        try:
            row, _ = message_queue(
                telegram_id=given["telegram_id"],
                message=given["message"],
                parse_mode=given["parse_mode"],
                priority=int(given["priority"]),
                scheduled_at=given["scheduled_at"],
                by=request.user,
            )
        except DomainError as exc:
            form.add_error(None, f"{exc.message}.")
            return self._form(request, form)
        messages.success(request, f"Queued as message {row.pk}.")
        return HttpResponseRedirect(reverse("admin:telegram_queuedmessage_change", args=[row.pk]))

    def _queue_tests(self, request: HttpRequest, form: ComposeForm) -> None:
        given = form.cleaned_data
        for chat in settings.ADMIN_TELEGRAM_IDS:
            message_queue(
                telegram_id=chat,
                message=given["message"],
                parse_mode=given["parse_mode"],
                notification_type=TEST,
                priority=0,
                by=request.user,
            )
        count = len(settings.ADMIN_TELEGRAM_IDS)
        if not count:
            messages.error(
                request, "There is nobody to send a test to: ADMIN_TELEGRAM_IDS is empty."
            )
            return
        who = "the admin" if count == 1 else f"{count} admins"
        messages.success(request, f"A test is on its way to {who}. Your text is still here.")

    def _form(self, request: HttpRequest, form: ComposeForm) -> HttpResponse:
        text, mode = form["message"].value() or "", form["parse_mode"].value()
        return self.show(
            request,
            "compose",
            "Write a message",
            status=422 if form.errors else 200,
            form=form,
            preview=preview_make(text.replace("\r\n", "\n"), mode) if text else None,
            admins=settings.ADMIN_TELEGRAM_IDS,
            tests=f"{self.home()}?{urlencode({'notification_type': TEST})}",
        )


def _beginning(request: HttpRequest) -> dict[str, Any]:
    """What the form holds at first: a chat, one of our own texts, the text of a message."""
    found: dict[str, Any] = {"telegram_id": number_of(request.GET.get("chat", "")) or ""}
    name, language = request.GET.get("template", ""), request.GET.get("language", "en")
    if name in registry and language in LANGUAGES:
        found["message"] = preview(name, language)
    copied = number_of(request.GET.get("copy", ""))
    if copied and (row := QueuedMessage.objects.filter(pk=copied).first()) is not None:
        found |= {"message": row.message, "parse_mode": row.parse_mode or ""}
    return found


def _as_json(found: Preview) -> dict[str, Any]:
    return {
        "body": found.body, "length": found.length, "limit": found.limit, "note": found.note,
        "error": found.error,
    }  # fmt: skip
