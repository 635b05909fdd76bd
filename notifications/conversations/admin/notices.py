"""What became of smart notifications, newest first: who was told, and why the others were not."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode

from jobs.admin.asked import uuid_of
from jobs.admin.lists import quick_links, turning
from notifications.conversations.admin.forms import NoticeFilterForm
from notifications.conversations.admin.pages import ConversationsConsole, number_of
from notifications.conversations.models import Dialog, Message, Notice
from notifications.conversations.models.dialog import USER_LIMIT
from notifications.conversations.selectors.figures import notice_figures
from notifications.conversations.selectors.notices import NoticesPage, notices_page

# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Told", "outcome=sent"),
    ("Had read", "outcome=read"),
    ("Switched off", "outcome=disabled"),
    ("Had left", "outcome=left"),
    ("Nobody listens", "outcome=no_endpoint"),
)


@admin.register(Notice)
class NoticeAdmin(ConversationsConsole):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Some six queries, however many notices there are."""
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(f"{self.home()}?{urlencode(_found(wanted))}")
        form = NoticeFilterForm(request.GET)
        page: NoticesPage | None = None
        if form.is_valid():
            page = notices_page(form.where(), after=number_of(request.GET.get("after", "")))
        return self.show(
            request,
            "notices",
            "Smart notifications",
            page=page,
            figures=notice_figures(),
            quick=quick_links(form, QUICK),
            **turning(request, form, page.after if page else None),
        )


def _found(wanted: str) -> dict[str, str]:
    """What a person searched, as a filter: the id of a dialog or a message, or else a person."""
    found = uuid_of(wanted)
    if found is not None and Dialog.objects.filter(pk=found).exists():
        return {"dialog_id": str(found)}
    if found is not None and Message.objects.filter(pk=found).exists():
        return {"message_id": str(found)}
    return {"user_id": wanted[:USER_LIMIT]}
