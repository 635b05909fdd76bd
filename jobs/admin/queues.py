"""Queues: how deep and how fast, live; paused and resumed with a reason."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern

from jobs.admin.pages import ConsoleAdmin, deed
from jobs.console import queue_pause, queue_resume
from jobs.models import Queue
from jobs.selectors.queues import queues_depth, queues_live


@admin.register(Queue)
class QueueAdmin(ConsoleAdmin):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("live/", self.live, "live"),
            self.at("<str:name>/pause/", self.pause, "pause"),
            self.at("<str:name>/resume/", self.resume, "resume"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        queues = queues_depth()
        return self.show(request, "queues", "Queues", queues=queues, live=queues_live(queues))

    def live(self, request: HttpRequest) -> HttpResponse:
        """The numbers of the page, for the page that is open already."""
        return JsonResponse(queues_live(queues_depth()))

    @deed("jobs.pause_queue")
    def pause(self, request: HttpRequest, name: str) -> str:
        queue_pause(name=name, by=request.user, reason=request.POST.get("reason", "").strip())
        return f"The queue {name} is paused. What runs goes on; nothing new starts."

    @deed("jobs.pause_queue")
    def resume(self, request: HttpRequest, name: str) -> str:
        queue_resume(name=name, by=request.user)
        return f"The queue {name} goes on."
