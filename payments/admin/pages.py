"""The pages of this console are those of the jobs console, with templates of their own."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.lists import turning
from jobs.admin.pages import ConsoleAdmin
from lib.errors import NotFound

__all__ = ["PaymentConsole", "number_of", "or_404", "turning"]

Row = TypeVar("Row")


class PaymentConsole(ConsoleAdmin):
    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of templates/admin/payments."""
        page = super().show(request, template, title, status, **context)
        page.template_name = f"admin/payments/{template}.html"
        return page


def or_404(get: Callable[[Any], Row], key: Any) -> Row:
    """The row of a page."""
    try:
        return get(key)
    except NotFound as exc:
        raise Http404(exc.message) from None


def number_of(text: str) -> int | None:
    """A number as a form sends it; None for anything else."""
    digits = text.strip().removeprefix("#")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 18
    return int(digits) if is_number else None
