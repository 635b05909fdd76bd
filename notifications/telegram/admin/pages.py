"""The pages of this console are those of the jobs console, with templates of their own."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.pages import ConsoleAdmin


class TelegramConsole(ConsoleAdmin):
    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of templates/admin/telegram."""
        page = super().show(request, template, title, status, **context)
        page.template_name = f"admin/telegram/{template}.html"
        return page


def number_of(text: str) -> int | None:
    """A whole number of at most 64 bits; None for anything else."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
