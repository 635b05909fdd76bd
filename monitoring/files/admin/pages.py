"""The pages of this console are those of the jobs console, with templates of their own."""

from typing import Any

from django.http import HttpRequest
from django.utils.http import urlencode

from jobs.admin.asked import number_of
from jobs.admin.pages import ConsoleAdmin


class FilesConsole(ConsoleAdmin):
    folder = "files"


def text_of(request: HttpRequest, name: str) -> str:
    """A word of the address, as far as a table could hold it."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:1000]


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
