"""Services: how each stands, its uptime and latency, and every outage with its reason."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.http import urlencode

from jobs.admin.pages import deed
from lib import clock
from monitoring.checks.admin.pages import ChecksConsole
from monitoring.checks.errors import ServiceUnknown
from monitoring.checks.models import ServiceCheck, ServiceOutage
from monitoring.checks.selectors.services import (
    SPANS,
    latencies,
    outages_page,
    service_view,
    services_view,
)
from monitoring.checks.services import services_check_ask


@admin.register(ServiceCheck)
class ServiceAdmin(ChecksConsole):
    """The list with live cards, and a page for each service with its outages and latency."""

    def pages(self) -> list[URLPattern]:
        return [
            self.at("live/", self.live, "live"),
            self.at("check/", self.check_now, "check"),
            self.at("<slug:name>/change/", self.service, "change"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All services. A few queries, however long they are watched."""
        del extra_context
        return self.show(request, "services", "Services", views=services_view())

    def live(self, request: HttpRequest) -> HttpResponse:
        """The cards, for the page that is open already (htmx)."""
        return self.part(request, "_services", views=services_view(), now=clock.now())

    def service(self, request: HttpRequest, name: str) -> HttpResponse:
        """One service with its outages."""
        try:
            view = service_view(name)
        except ServiceUnknown as exc:
            raise Http404(exc.message) from None
        span = request.GET.get("span", "")
        span = span if span in SPANS else "24h"
        kind = request.GET.get("kind", "")
        kind = kind if kind in ServiceOutage.Kind.values else ""
        after = request.GET.get("after", "")
        is_number = after.isascii() and after.isdigit() and len(after) <= 18
        outages, following = outages_page(
            service=name, kind=kind, after=int(after) if is_number else None
        )
        quickness = view.quickness if span == "24h" else latencies(span, names=[name]).get(name, [])
        asked = {"span": span if span != "24h" else "", "kind": kind}
        query = {key: value for key, value in asked.items() if value}
        return self.show(
            request,
            "service",
            view.service.title,
            view=view,
            span=span,
            spans=SPANS,
            kind=kind,
            kinds=ServiceOutage.Kind.choices,
            chart=quickness,
            outages=outages,
            is_later=bool(after),
            first=f"?{urlencode(query)}",
            following=f"?{urlencode({**query, 'after': str(following)})}" if following else "",
        )

    @deed("checks.operate_servicecheck")
    def check_now(self, request: HttpRequest) -> str:
        services_check_ask(by=request.user)
        return "All services are being looked at; the page shows it in a few seconds."
