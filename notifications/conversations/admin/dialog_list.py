"""The list of dialogs, the latest activity first."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from jobs.admin.asked import uuid_of
from jobs.admin.lists import quick_links, turning
from notifications.conversations.admin.forms import DialogFilterForm
from notifications.conversations.admin.pages import ConversationsConsole
from notifications.conversations.errors import ConversationInvalid
from notifications.conversations.models import Dialog, Message, Participant
from notifications.conversations.models.dialog import TITLE_LIMIT, USER_LIMIT
from notifications.conversations.places import place_read, place_write
from notifications.conversations.selectors.listing import (
    DialogsPage,
    Place,
    dialogs_page,
    latest_of,
)
from notifications.conversations.selectors.people import crowds_of

# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("In use", "archived=no"),
    ("Somebody waits", "waiting=yes"),
    ("With unread", "unread=yes"),
    ("Put away", "archived=yes"),
)


class DialogLists(ConversationsConsole):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Some four queries, however many dialogs there are."""
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = DialogFilterForm(request.GET)
        page: DialogsPage | None = None
        if form.is_valid():
            page = dialogs_page(form.where(), after=_place(request.GET.get("after", "")))
        dialogs = page.dialogs if page else []
        return self.show(
            request,
            "dialogs",
            "Dialogs",
            page=page,
            latest=latest_of(dialogs),
            crowds=crowds_of(dialogs),
            quick=quick_links(form, QUICK),
            **turning(request, form, place_write(page.after) if page else None),
        )


def _place(text: str) -> Place | None:
    try:
        return place_read(text)
    except ConversationInvalid:
        return None  # an address that somebody has shortened: the first page


def _found(wanted: str) -> str:
    """The address of what a person searched: a dialog, a message, a person, or how a title begins."""
    found = uuid_of(wanted)
    if found is not None:
        dialog_id = (
            Dialog.objects.filter(pk=found).values_list("pk", flat=True).first()
            or Message.objects.filter(pk=found).values_list("dialog_id", flat=True).first()
        )
        if dialog_id is not None:
            return reverse("admin:conversations_dialog_change", args=[dialog_id])
    is_person = (
        len(wanted) <= USER_LIMIT
        and "\x00" not in wanted
        and Participant.objects.filter(user_id=wanted).exists()
    )
    query = {"user_id": wanted} if is_person else {"title": wanted[:TITLE_LIMIT]}
    return f"{reverse('admin:conversations_dialog_changelist')}?{urlencode(query)}"
