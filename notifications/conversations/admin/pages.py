"""The pages of this console are those of the jobs console, with templates of their own."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.pages import ConsoleAdmin


class ConversationsConsole(ConsoleAdmin):
    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of templates/admin/conversations."""
        page = super().show(request, template, title, status, **context)
        page.template_name = f"admin/conversations/{template}.html"
        return page


def number_of(text: str, most: int = 2**63 - 1) -> int | None:
    """A whole number from 0 to most; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return int(text) if int(text) <= most else None


def uuid_of(text: str) -> UUID | None:
    """A UUID as it is written with or without dashes; None for anything else."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
