"""The runbook in the console: docs/runbook.md, one page for each rule, so that an alert can lead to it.

The document is ours, and yet no HTML of it is taken over: markdown-it escapes tags and refuses the
schemes that run something. Links between sections stay in the console; those to other documents, which
the image does not hold, become plain words.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString, mark_safe

from lib import clock

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "runbook.md"
_SEES = re.compile(r"\*\*You see\*\*\s+(.*?)(?:\n\n|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Section:
    """What to do about one rule. anchor: its name; area: the heading above; text: Markdown."""

    anchor: str
    area: str
    text: str

    @property
    def summary(self) -> str:
        """What one sees, in a line and without marks."""
        seen = _SEES.search(self.text)
        words = " ".join(seen.group(1).split()) if seen else ""
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words)
        words = re.sub(r"^\(Prometheus `(\w+)`\) ", "", words).removeprefix("that ")
        return words.replace("`", "").replace("*", "")

    def html(self) -> SafeString:
        """For the page. Nothing in it but what Markdown makes."""
        tokens = _markdown().parse(self.text)
        for token in tokens:
            if token.children:
                token.children = list(_linked(token.children))
        rendered: str = _markdown().renderer.render(tokens, _markdown().options, {})
        return mark_safe(rendered)  # noqa: S308 - html=False: tags of the source are escaped


@lru_cache(maxsize=1)
def sections() -> dict[str, Section]:
    """All of them by anchor, in the order of the document. Read once per process."""
    found: dict[str, Section] = {}
    area = ""
    for part in re.split(r"^(?=# |## )", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE):
        heading, _, text = part.partition("\n")
        if heading.startswith("## "):
            anchor = heading[3:].strip()
            found[anchor] = Section(anchor, area, text.strip())
        else:
            area = heading.removeprefix("# ").strip()
    return found


def urls(site: "AdminSite") -> list[URLPattern]:
    """For the extra addresses of the admin; everybody who may open the console may read it."""

    def index(request: HttpRequest) -> HttpResponse:
        """All rules by area; ?q= keeps those that have these words."""
        asked = request.GET.get("q", "").strip()
        if asked in sections():
            return HttpResponseRedirect(reverse("admin:runbook_section", args=[asked]))
        words = asked.lower().split()
        shown = [
            section for section in sections().values()
            if all(word in f"{section.anchor} {section.text}".lower() for word in words)
        ]  # fmt: skip
        return _page(site, request, "Runbook", shown=shown, asked=asked)

    def section(request: HttpRequest, anchor: str) -> HttpResponse:
        """One rule; 404 for a name that has no section."""
        if anchor not in sections():
            raise Http404(f"The runbook has no section {anchor}.")
        found = sections()[anchor]
        near = [each for each in sections().values() if each.area == found.area]
        return _page(site, request, f"Runbook: {anchor}", section=found, shown=near)

    return [
        path("runbook/", site.admin_view(index), name="runbook"),
        path("runbook/<slug:anchor>/", site.admin_view(section), name="runbook_section"),
    ]


def _page(site: "AdminSite", request: HttpRequest, title: str, **context: Any) -> TemplateResponse:
    request.current_app = site.name
    everything = {
        **site.each_context(request),
        "title": title,
        "is_fullwidth": "1",
        "now": clock.now(),
        **context,
    }
    return TemplateResponse(request, "admin/runbook.html", everything)


@lru_cache(maxsize=1)
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 - workers need none of it

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _linked(tokens: "Iterable[Token]") -> "Iterable[Token]":
    """The tokens of a line, its links as the console needs them."""
    dropped = False
    for token in tokens:
        if token.type == "link_open":
            target = str(token.attrs.get("href", ""))
            if target.startswith("#") and target[1:] in sections():
                token.attrs["href"] = reverse("admin:runbook_section", args=[target[1:]])
            dropped = not target.startswith(("#", "https://"))
            if dropped:
                continue
        elif token.type == "link_close" and dropped:
            dropped = False
            continue
        yield token
