"""Files of the index: how each stands, and its history."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.asked import number_of
from monitoring.files.admin.pages import FilesConsole, links, text_of
from monitoring.files.models import Rule, WatchedFile
from monitoring.files.selectors.batches import files_page, story_page

RULES = 100  # that the filter offers


@admin.register(WatchedFile)
class FileAdmin(FilesConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("<int:file_id>/change/", self.file, "change")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        asked = {name: text_of(request, name) for name in ("rule", "state", "q")}
        files, after = files_page(
            rule_id=number_of(asked["rule"]) if asked["rule"] else None,
            state=asked["state"],
            wanted=asked["q"],
            after=number_of(request.GET.get("after", "")),
        )
        return self.show(
            request,
            "files",
            "Watched files",
            files=files,
            asked=asked,
            states=WatchedFile.State.choices,
            rules=list(Rule.objects.order_by("name").values_list("pk", "name")[:RULES]),
            **links(request, asked, after),
        )

    def file(self, request: HttpRequest, file_id: int) -> HttpResponse:
        """One file: what is known of it, and each of its changes with its outcome."""
        found = WatchedFile.objects.select_related("rule").filter(pk=min(file_id, 2**63 - 1))
        file = found.first()
        if file is None:
            raise Http404(f"there is no watched file {file_id}")
        events, after = story_page(file=file, before=number_of(request.GET.get("after", "")))
        return self.show(
            request,
            "file",
            f"File {file.path}",
            file=file,
            events=events,
            **links(request, {}, after),
        )
