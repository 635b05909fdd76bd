"""Endpoints in the console: the list with how each is, and the page of one."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern

from jobs.models import AuditEntry
from lib import clock
from notifications.webhooks.admin.endpoint_acts import EndpointActs
from notifications.webhooks.admin.endpoint_edit import EndpointEditing
from notifications.webhooks.admin.endpoint_replay import EndpointReplays
from notifications.webhooks.admin.forms import ReplayForm
from notifications.webhooks.admin.pages import endpoint_or_404
from notifications.webhooks.escalation import ENDPOINT
from notifications.webhooks.listing import DeliveryFilter, deliveries_page
from notifications.webhooks.models import Endpoint
from notifications.webhooks.selectors import (
    Counts,
    endpoint_condition,
    endpoint_counts,
    endpoint_explain,
    endpoints_all,
    history,
)
from notifications.webhooks.types import event_types

PAGE = 50
RECENT = 15
ACTS = 12
# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Failing", "condition=failing"),
    ("Down", "condition=broken"),
    ("Disabled", "condition=disabled"),
)


@admin.register(Endpoint)
class EndpointAdmin(EndpointActs, EndpointEditing, EndpointReplays):
    """Put together from the pages; each file is one of them."""

    def pages(self) -> list[URLPattern]:
        return [
            self.at("types/", self.types, "types"),
            self.at("<uuid:endpoint_id>/change/", self.endpoint, "change"),
            self.at("<uuid:endpoint_id>/live/", self.endpoint_live, "live"),
            *super().pages(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All endpoints, newest first. Three queries however many there are."""
        del extra_context
        wanted = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        condition = request.GET.get("condition", "")
        rows = list(_chosen(wanted, condition, _after(request))[: PAGE + 1])
        page = rows[:PAGE]
        counts = endpoint_counts([row.pk for row in page])
        return self.show(
            request,
            "endpoints",
            "Webhook endpoints",
            lines=[(row, counts.get(row.pk, Counts())) for row in page],
            following=page[-1].pk if len(rows) > PAGE else None,
            wanted=wanted,
            condition=condition,
            quick=[(label, query, query == _query(condition)) for label, query in QUICK],
            bars=history(),
        )

    def endpoint(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        """The page of one. Its queries are few and do not depend on how many deliveries there are."""
        endpoint = endpoint_or_404(endpoint_id)
        return self.show(
            request,
            "endpoint",
            f"Webhook endpoint {endpoint.title}",
            bars=history(endpoint.pk),
            deliveries=deliveries_page(DeliveryFilter(endpoint_id=endpoint.pk), size=RECENT),
            replay_form=ReplayForm(),
            acts=AuditEntry.objects.filter(
                object_type=ENDPOINT, object_id=str(endpoint.pk)
            ).order_by("-id")[:ACTS],
            **_live(endpoint),
        )

    def endpoint_live(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        """The upper part of the page, for the page that is open already (htmx)."""
        live = _live(endpoint_or_404(endpoint_id))
        if request.GET.get("seen") != live["condition"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return TemplateResponse(request, "admin/webhooks/_endpoint_live.html", live)

    def types(self, request: HttpRequest) -> HttpResponse:
        """Which events there are, and what they look like."""
        return self.show(request, "types", "Webhook event types", types=event_types())


def _live(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "condition": endpoint_condition(endpoint),
        "explanation": endpoint_explain(endpoint),
        "counts": endpoint_counts([endpoint.pk])[endpoint.pk],
    }


def _query(condition: str) -> str:
    return f"condition={condition}" if condition else ""


def _after(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("after", ""))
    except ValueError:
        return None


def _chosen(wanted: str, condition: str, after: UUID | None) -> QuerySet[Endpoint]:
    rows = endpoints_all()
    if after is not None:
        rows = rows.filter(pk__lt=after)
    if wanted:
        rows = rows.filter(
            Q(title__icontains=wanted)
            | Q(url__icontains=wanted)
            | Q(event_types__contains=[wanted])
        )
    if condition == "disabled":
        return rows.filter(state=Endpoint.State.DISABLED)
    if condition == "failing":
        return rows.filter(state=Endpoint.State.ENABLED, lane__failing_since__isnull=False)
    if condition == "broken":
        return rows.filter(state=Endpoint.State.ENABLED, lane__open_until__gt=clock.now())
    return rows
