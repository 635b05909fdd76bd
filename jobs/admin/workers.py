"""Workers: who lives, how they fare, what they run; told to lease no more or to stop."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.pages import ConsoleAdmin, deed
from jobs.console import worker_direct
from jobs.models import Worker
from jobs.selectors.workers import workers_list

_TOLD = {
    "run": "The worker leases jobs again from its next beat on.",
    "quiet": "The worker leases no more jobs from its next beat on; what it runs goes on.",
    "terminate": "The worker stops at its next beat, after the jobs that it runs.",
}


@admin.register(Worker)
class WorkerAdmin(ConsoleAdmin):
    def pages(self) -> list[URLPattern]:
        return [self.at("<str:worker_id>/direct/", self.direct, "direct")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        return self.show(request, "workers", "Workers", workers=workers_list())

    @deed("jobs.direct_worker")
    def direct(self, request: HttpRequest, worker_id: str) -> str:
        directive = request.POST.get("directive", "")
        worker_direct(worker_id=worker_id, directive=directive, by=request.user)
        return _TOLD[directive]
