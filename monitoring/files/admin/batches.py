"""Batches: what changed in one window, and what became of each file."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.asked import number_of, uuid_of
from jobs.admin.pages import deed
from jobs.models import JobRecord
from monitoring.files.admin.pages import FilesConsole, links, text_of
from monitoring.files.models import FileBatch, FileEvent, Rule
from monitoring.files.selectors.batches import (
    FAILED,
    FINISHED,
    OPEN,
    batch_view,
    batches_page,
    events_page,
)
from monitoring.files.services import batch_retry

RULES = 100  # that the filter offers
STATES = (
    ("", "All"),
    (OPEN, "Open"),
    (FAILED, "With failures"),
    (FINISHED, "Finished"),
)


@admin.register(FileBatch)
class BatchAdmin(FilesConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("<uuid:batch_id>/change/", self.batch, "change"),
            self.at("<uuid:batch_id>/live/", self.live, "live"),
            self.at("<uuid:batch_id>/retry/", self.retry, "retry"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        asked = {name: text_of(request, name) for name in ("rule", "state")}
        batches, after = batches_page(
            rule_id=number_of(asked["rule"]) if asked["rule"] else None,
            state=asked["state"],
            after=uuid_of(request.GET.get("after", "")),
        )
        return self.show(
            request,
            "batches",
            "File batches",
            batches=batches,
            asked=asked,
            states=STATES,
            rules=list(Rule.objects.order_by("name").values_list("pk", "name")[:RULES]),
            **links(request, asked, after),
        )

    def batch(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """One batch with its files. A few queries, however many files there are."""
        batch = _get(batch_id)
        asked = {"outcome": text_of(request, "outcome")}
        events, after = events_page(
            batch=batch,
            outcome=asked["outcome"],
            after=number_of(request.GET.get("after", "")) or 0,
        )
        return self.show(
            request,
            "batch",
            f"Files of {batch.rule.name}",
            events=events,
            asked=asked,
            outcomes=[*FileEvent.Outcome.values],
            **_live(batch),
            **links(request, asked, after),
        )

    def live(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """The upper part, for the page that is open already (htmx); it loads anew when all is done."""
        live = _live(_get(batch_id))
        if request.GET.get("seen") != live["seen"] and not live["is_open"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return self.part(request, "_batch_live", **live)

    @deed("files.operate_rule")
    def retry(self, request: HttpRequest, batch_id: UUID) -> str:
        count = batch_retry(batch_id=batch_id, by=request.user)
        return f"{count} file{'' if count == 1 else 's'} will be tried again, with all tries."


def _get(batch_id: UUID) -> FileBatch:
    batch = FileBatch.objects.select_related("rule").filter(pk=batch_id).first()
    if batch is None:
        raise Http404(f"there is no file batch {batch_id}")
    return batch


def _live(batch: FileBatch) -> dict[str, Any]:
    view = batch_view(batch)
    return {
        "view": view,
        "job": JobRecord.objects.filter(pk=batch.job_id).first() if batch.job_id else None,
        "seen": f"{view.condition}.{view.pending}",
        "is_open": batch.state != FileBatch.State.FINISHED,
    }
