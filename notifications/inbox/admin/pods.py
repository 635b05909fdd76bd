"""Pods and who is connected to them, as it is now."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.http import urlencode

from jobs.admin.asked import uuid_of
from notifications.inbox.admin.forms import number_of
from notifications.inbox.admin.pages import InboxConsole
from notifications.inbox.admin.people import people_named
from notifications.inbox.models import Client, Pod
from notifications.inbox.pods import BEAT
from notifications.inbox.selectors.figures import inbox_figures
from notifications.inbox.selectors.pods import clients_page, pods_view


@admin.register(Pod)
class PodAdmin(InboxConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("live/", self.live, "live")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        return self.show(request, "pods", "Pods", beat_s=BEAT.seconds, **_pods())

    def live(self, request: HttpRequest) -> HttpResponse:
        """The same, for the page that is open already (htmx)."""
        return self.part(request, "_pods", **_pods())


@admin.register(Client)
class ClientAdmin(InboxConsole):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Open sockets, page by page; of one pod or one person."""
        del extra_context
        pod_id = request.GET.get("pod", "").replace("\x00", "")[:120]
        wanted = request.GET.get("q", "").strip()
        ids = [row.pk for row in people_named(wanted)] if wanted else None
        clients, after = clients_page(
            pod_id=pod_id, recipient_ids=ids, after=uuid_of(request.GET.get("after", ""))
        )
        current = number_of(request.GET.get("page", "")) or 1
        query = {name: value for name, value in (("pod", pod_id), ("q", wanted)) if value}
        more = {**query, "after": str(after), "page": str(current + 1)}
        pods = list(Pod.objects.order_by("pod_id").values_list("pod_id", flat=True)[:100])
        return self.show(
            request,
            "clients",
            "Connected clients",
            clients=clients,
            pods=pods,
            pod_id=pod_id,
            wanted=wanted,
            number=current,
            first=f"?{urlencode(query)}",
            following=f"?{urlencode(more)}" if after else "",
        )


def _pods() -> dict[str, Any]:
    return {"pods": pods_view(), "figures": inbox_figures()}
