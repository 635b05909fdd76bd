"""Subscribers in the console: the list, newest first, and what hangs below it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.lists import quick_links, turning
from subscriptions.admin.board import BoardPages
from subscriptions.admin.bulk_begin import BulkBeginPages
from subscriptions.admin.bulk_upload import BulkUploadPages
from subscriptions.admin.forms import SubscriberFilterForm
from subscriptions.admin.person_acts import PersonActs
from subscriptions.admin.person_page import PersonPages
from subscriptions.models import Subscriber
from subscriptions.screens.listing import seek, subscribers_page

# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Active", "status=ACTIVE"),
    ("Ending in 3 days", "status=ACTIVE&expires_before=in 3d"),
    ("Expired this week", "status=EXPIRED&expires_from=7d"),
    ("Out of traffic", "status=LIMITED"),
    ("Cut by an operator", "cut_by=operator"),
    ("Disabled in the panel", "cut_by=panel"),
    ("Not reachable", "status=ACTIVE&telegram=away"),
    ("Auto-renewal", "auto_renew=yes"),
    ("Gone", "status=gone"),
)


@admin.register(Subscriber)
class SubscriberAdmin(PersonActs, PersonPages, BulkUploadPages, BulkBeginPages, BoardPages):
    def pages(self) -> list[URLPattern]:
        return [
            *self.board_pages(),
            *self.bulk_pages(),
            *self.upload_pages(),
            *self.person_pages(),
            *self.act_pages(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list. One query for its rows, however many there are in all."""
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = SubscriberFilterForm(request.GET)
        page, where = None, {}
        if form.is_valid():
            where = form.where()
            page = subscribers_page(where, sort=form.sorting(), after=request.GET.get("after", ""))
        return self.show(
            request,
            "subscribers",
            "Subscribers",
            quick=quick_links(form, QUICK),
            page=page,
            says=bool(where),
            **self.bulk_words(),
            **turning(request, form, page.after if page else None),
        )


def _found(wanted: str) -> str:
    """The address of what a person searched."""
    found = seek(wanted)
    if found.subscriber_id is not None:
        return reverse("admin:subscriptions_subscriber_change", args=[found.subscriber_id])
    field, value = found.where
    return f"{reverse('admin:subscriptions_subscriber_changelist')}?{urlencode({field: value})}"
