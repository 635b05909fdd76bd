"""Bulk operations in the console: all of them, and one with the fate and reason of everybody."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.asked import number_of, or_404
from jobs.admin.lists import quick_links, turning
from jobs.models import AuditEntry
from jobs.progress.pages import live_context
from jobs.progress.registry import operation_find
from subscriptions.admin.forms import OperationFilterForm
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.bulk.control import bulk_get
from subscriptions.bulk.starting import OBJECT
from subscriptions.models import BulkOperation
from subscriptions.screens.operations import OperationFilter, fates_of, items_page, operations_page

ACTS = 12
QUICK = (
    ("All", ""),
    ("Running", "state=running"),
    ("Paused", "state=paused"),
    ("From the API", "source=api"),
    ("From files", "source=csv"),
)


@admin.register(BulkOperation)
class BulkOperationAdmin(SubscriptionConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("<uuid:operation_id>/change/", self.operation, "change")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, newest first. One query for its rows."""
        del extra_context
        form = OperationFilterForm(request.GET)
        page = None
        if form.is_valid():
            where = OperationFilter(**form.cleaned_data)
            page = operations_page(where, after=_uuid(request.GET.get("after", "")))
        return self.show(
            request,
            "operations",
            "Bulk operations",
            quick=quick_links(form, QUICK),
            page=page,
            **turning(request, form, page.after if page else None),
        )

    def operation(self, request: HttpRequest, operation_id: UUID) -> HttpResponse:
        """One: how far it is, live, and who has which fate for which reason."""
        row = or_404(bulk_get, operation_id)
        fates = fates_of(row.pk)
        chosen = request.GET.get("fate", "")
        fate = next((each for each in fates if each.key == chosen), fates[0] if fates else None)
        page = items_page(row.pk, fate, after=number_of(request.GET.get("after", "")) or 0)
        following = f"?fate={fate.key}&after={page.after}" if fate and page.after else ""
        return self.show(
            request,
            "operation",
            "Bulk operation",
            row=row,
            fates=fates,
            fate=fate,
            page=page,
            following=following,
            family=row.children.order_by("id"),
            acts=AuditEntry.objects.filter(object_type=OBJECT, object_id=str(row.pk)).order_by(
                "-id"
            )[:ACTS],
            **live_context(request, *operation_find(row.pk)),
        )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
