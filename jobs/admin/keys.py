"""Partition keys: which lines wait, behind which job, until when."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.http import urlencode

from jobs.admin.pages import ConsoleAdmin
from jobs.lines import line_jobs, lines_waiting

PAGE = 50
SHOWN = 100


class KeyPages(ConsoleAdmin):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("keys/", self.keys, "keys"),
            self.at("keys/one/", self.key, "key"),
            *super().pages(),
        ]

    def keys(self, request: HttpRequest) -> HttpResponse:
        """Keys that wait, by name. One query that steps along an index."""
        after, contains = request.GET.get("after", ""), request.GET.get("contains", "").strip()
        lines = lines_waiting(limit=PAGE + 1, after=after, contains=contains)
        following = ""
        if len(lines) > PAGE:
            asked = {"contains": contains, "after": lines[PAGE - 1].key}
            following = "?" + urlencode({name: value for name, value in asked.items() if value})
        return self.show(
            request,
            "keys",
            "Keys",
            lines=lines[:PAGE],
            contains=contains,
            after=after,
            following=following,
        )

    def key(self, request: HttpRequest) -> HttpResponse:
        """The open jobs of one key in their order (?key=..., since keys may hold any character)."""
        name = request.GET.get("key", "")
        found = line_jobs(name, limit=SHOWN + 1)
        return self.show(
            request,
            "key",
            f"Key {name}",
            key=name,
            line=found[:SHOWN],
            more=len(found) > SHOWN,
            shown=SHOWN,
        )
