"""The pages of this console are those of the jobs console, with templates of their own."""

import secrets
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.pages import ConsoleAdmin


class InboxConsole(ConsoleAdmin):
    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of templates/admin/inbox."""
        page = super().show(request, template, title, status, **context)
        page.template_name = f"admin/inbox/{template}.html"
        return page

    def part(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """A piece of a page that is open already (htmx)."""
        return TemplateResponse(request, f"admin/inbox/{template}.html", context)


def once_make(request: HttpRequest, name: str) -> str:
    """A word for a page that asks whether one is sure; what it asks can be done once with it."""
    word = secrets.token_urlsafe(12)
    request.session[name] = word
    return word


def once_take(request: HttpRequest, name: str) -> bool:
    """Whether the page that was sent is the one looked at last, and was not sent before."""
    word = request.session.get(name)
    if word is None or word != request.POST.get("once"):
        return False
    del request.session[name]
    return True
