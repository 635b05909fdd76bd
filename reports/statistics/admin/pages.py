"""The pages of this console are those of the jobs console, with templates of their own."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.pages import ConsoleAdmin
from lib.errors import NotFound

Row = TypeVar("Row")


class StatisticsConsole(ConsoleAdmin):
    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of templates/admin/statistics."""
        page = super().show(request, template, title, status, **context)
        page.template_name = f"admin/statistics/{template}.html"
        return page


def or_404(get: Callable[[Any], Row], key: Any) -> Row:
    """The row of a page."""
    try:
        return get(key)
    except NotFound as exc:
        raise Http404(exc.message) from None


def day_of(text: str) -> date:
    """A day of an address. Raises Http404."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Http404(f"{text} is no day") from None


def number_of(text: str) -> int | None:
    """A number as an address sends it; None for anything else."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 18
    return int(text) if is_number else None
