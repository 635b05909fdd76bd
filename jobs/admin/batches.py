"""Batches: how far they are, and their members that are not finished."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.http import urlencode

from jobs.admin.pages import ConsoleAdmin
from jobs.models import Batch
from jobs.selectors.batches import batch_members, batch_view, batches_page


@admin.register(Batch)
class BatchAdmin(ConsoleAdmin):
    def pages(self) -> list[URLPattern]:
        return [self.at("<uuid:batch_id>/change/", self.batch, "change")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        state = request.GET.get("state", "")
        batches, after = batches_page(state=state, after=_uuid(request.GET.get("after", "")))
        asked = {"state": state, "after": str(after) if after else ""}
        following = "?" + urlencode({name: value for name, value in asked.items() if value})
        return self.show(
            request,
            "batches",
            "Batches",
            batches=batches,
            state=state,
            is_first=not request.GET.get("after"),
            following=following if after else "",
        )

    def batch(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """One batch: counts, callback, open and dead members."""
        found = Batch.objects.filter(pk=batch_id).first()
        if found is None:
            raise Http404(f"there is no batch {batch_id}")
        return self.show(
            request,
            "batch",
            f"Batch {found}",
            view=batch_view(found),
            members=batch_members(found),
        )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
