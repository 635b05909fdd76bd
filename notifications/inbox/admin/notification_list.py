"""The list of notifications, newest first, and how the inbox does."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import uuid_of
from jobs.admin.lists import quick_links, turning
from notifications.inbox.admin.forms import NotificationFilterForm
from notifications.inbox.admin.pages import InboxConsole
from notifications.inbox.admin.people import people_named
from notifications.inbox.models import Notification
from notifications.inbox.selectors.figures import inbox_figures
from notifications.inbox.selectors.notifications import NotificationsPage, notifications_page

# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Unread", "state=unread"),
    ("Deferred", "state=deferred"),
    ("Read", "state=read"),
    ("Expired", "state=auto_cleared"),
    ("Recalled", "state=recalled"),
    ("Muted", "state=muted"),
    ("Critical", "priority=0"),
)


class NotificationLists(InboxConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("figures/", self.figures, "figures"), *super().pages()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = NotificationFilterForm(request.GET)
        page = _page(request, form)
        return self.show(
            request,
            "notifications",
            "Notifications",
            quick=quick_links(form, QUICK),
            page=page,
            figures=inbox_figures(),
            **turning(request, form, page.after if page else None),
        )

    def figures(self, request: HttpRequest) -> HttpResponse:
        """How the inbox does, for the page that is open already (htmx)."""
        return self.part(request, "_figures", figures=inbox_figures())


def _page(request: HttpRequest, form: NotificationFilterForm) -> NotificationsPage | None:
    """The page that the address asks for; None if the filter is wrong."""
    if not form.is_valid():
        return None
    return notifications_page(form.where(), after=uuid_of(request.GET.get("after", "")))


def _found(wanted: str) -> str:
    """The address of what a person searched: an id, a person, or else how a text begins."""
    home = reverse("admin:inbox_notification_changelist")
    notification_id = uuid_of(wanted)
    if notification_id and Notification.objects.filter(pk=notification_id).exists():
        return reverse("admin:inbox_notification_change", args=[notification_id])
    field = "person" if notification_id or people_named(wanted, most=1) else "text"
    return f"{home}?{urlencode({field: wanted[:200]})}"
