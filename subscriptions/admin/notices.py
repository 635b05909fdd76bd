"""Notices in the console: who was told what, and why the others were not."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode

from jobs.admin.asked import number_of
from jobs.admin.lists import quick_links, turning
from subscriptions.admin.lifecycle_forms import NoticeFilterForm
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.lifecycle.selectors import notices_page
from subscriptions.models import Notice, Subscriber

# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Waiting", "state=due"),
    ("Told", "state=queued"),
    ("No Telegram", "reason=no_telegram"),
    ("Blocked", "reason=blocked"),
    ("Paid meanwhile", "reason=moved"),
    ("Ended", "stage=expired"),
)


@admin.register(Notice)
class NoticeAdmin(SubscriptionConsole):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All notices, newest first. The number of queries does not depend on how many there are."""
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(f"{self.home()}?{urlencode(_found(wanted))}")
        form = NoticeFilterForm(request.GET)
        page = None
        if form.is_valid():
            page = notices_page(form.where(), after=number_of(request.GET.get("after", "")))
        return self.show(
            request,
            "notices",
            "Reminders and ends",
            quick=quick_links(form, QUICK),
            page=page,
            **turning(request, form, page.after if page else None),
        )


def _found(wanted: str) -> dict[str, str]:
    """What a person searched, as a filter: a username, or else a Telegram id."""
    is_name = Subscriber.objects.filter(username=wanted[:36]).exists()
    if not is_name and number_of(wanted) is not None:
        return {"telegram_id": wanted}
    return {"username": wanted[:36]}
