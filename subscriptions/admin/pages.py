"""The pages of subscriptions are those of the jobs console, with templates of their own."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.pages import ConsoleAdmin
from lib.errors import NotFound

Row = TypeVar("Row")
Key = TypeVar("Key")


class SubscriptionConsole(ConsoleAdmin):
    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of templates/admin/subscriptions."""
        page = super().show(request, template, title, status, **context)
        page.template_name = f"admin/subscriptions/{template}.html"
        return page


def or_404(get: Callable[[Key], Row], key: Key) -> Row:
    """The row of a page."""
    try:
        return get(key)
    except NotFound as exc:
        raise Http404(exc.message) from None


def number_of(text: str) -> int | None:
    """A key as a form sends it; None for anything else."""
    digits = text.strip()
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 18
    return int(digits) if is_number else None


def moment_of(text: str) -> datetime | None:
    """A moment as an address has it, with its zone; None for anything else."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
