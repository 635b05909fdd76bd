"""The pages of this console are those of the jobs console, with templates of their own."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.http import urlencode

from jobs.admin.pages import ConsoleAdmin


class FilesConsole(ConsoleAdmin):
    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of templates/admin/files."""
        page = super().show(request, template, title, status, **context)
        page.template_name = f"admin/files/{template}.html"
        return page

    def part(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """A piece of a page that is open already (htmx)."""
        return TemplateResponse(request, f"admin/files/{template}.html", context)


def text_of(request: HttpRequest, name: str) -> str:
    """A word of the address, as far as a table could hold it."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:1000]


def number_of(text: str) -> int | None:
    """A whole number of at most 63 bits; None for anything else."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 19
    return int(text) if is_number and int(text) < 2**63 else None


def uuid_of(text: str) -> UUID | None:
    """An id, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def links(request: HttpRequest, asked: dict[str, Any], after: object) -> dict[str, Any]:
    """What the pager of a list needs. asked: the filters that are on."""
    query = {name: value for name, value in asked.items() if value not in (None, "")}
    number = number_of(request.GET.get("page", "")) or 1
    more = {**query, "after": str(after), "page": str(number + 1)}
    return {
        "number": number,
        "first": f"?{urlencode(query)}",
        "following": f"?{urlencode(more)}" if after else "",
        "share": request.build_absolute_uri(f"{request.path}?{urlencode(query)}".rstrip("?")),
        "is_filtered": bool(query),
    }
