"""The list of broadcasts, newest first, with what goes out just now on top."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import uuid_of
from jobs.admin.lists import quick_links, turning
from notifications.broadcasts.admin.forms import BroadcastFilterForm
from notifications.broadcasts.admin.listing import (
    BroadcastsPage,
    audience_words,
    broadcasts_now,
    broadcasts_page,
)
from notifications.broadcasts.admin.pages import BroadcastConsole
from notifications.broadcasts.models import Broadcast

# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Drafts", "status=draft"),
    ("Scheduled", "status=scheduled"),
    ("Sending", "status=sending"),
    ("Paused", "status=paused"),
    ("Sent", "status=sent"),
    ("Somebody missed it", "missing=yes"),
    ("Cancelled", "status=cancelled"),
)


class BroadcastLists(BroadcastConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("now/", self.now, "now"), *super().pages()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = BroadcastFilterForm(request.GET)
        page = _page(request, form)
        return self.show(
            request,
            "broadcasts",
            "Broadcasts",
            quick=quick_links(form, QUICK),
            page=page,
            audiences=audience_words(page.rows) if page else {},
            now_sending=broadcasts_now(),
            **turning(request, form, page.after if page else None),
        )

    def now(self, request: HttpRequest) -> HttpResponse:
        """What goes out just now, for the page that is open already (htmx)."""
        return self.part(request, "_now", now_sending=broadcasts_now())


def _page(request: HttpRequest, form: BroadcastFilterForm) -> BroadcastsPage | None:
    """The page that the address asks for; None if the filter is wrong."""
    if not form.is_valid():
        return None
    return broadcasts_page(form.where(), after=uuid_of(request.GET.get("after", "")))


def _found(wanted: str) -> str:
    """The address of what a person searched: an id, or else a part of a text."""
    broadcast_id = uuid_of(wanted)
    if broadcast_id and Broadcast.objects.filter(pk=broadcast_id).exists():
        return reverse("admin:broadcasts_broadcast_change", args=[broadcast_id])
    home = reverse("admin:broadcasts_broadcast_changelist")
    return f"{home}?{urlencode({'text': wanted[:200]})}"
