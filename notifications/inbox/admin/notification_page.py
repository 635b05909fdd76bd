"""The page of one notification: what happened to it, why it did not arrive, what the person sees."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.forms import JsonObjectField
from jobs.admin.pages import check, deed
from jobs.models import AuditEntry
from lib.errors import DomainError, NotFound
from notifications.inbox.admin.pages import InboxConsole
from notifications.inbox.admin.picture import picture_of
from notifications.inbox.errors import NotificationSettled
from notifications.inbox.expiry import notifications_expire
from notifications.inbox.fallback import TYPE as FALLBACK
from notifications.inbox.models import Notification, State
from notifications.inbox.recall import notification_recall, notification_update
from notifications.inbox.selectors.notifications import screens_of, shown
from notifications.inbox.selectors.pods import clients_of
from notifications.inbox.selectors.story import Story, story

RECENT = 8
AROUND = timedelta(minutes=2)
OBJECT = "notification"  # what the audit log calls it
OPEN = {State.UNREAD, State.DEFERRED}


class EditForm(forms.Form):
    """Another text for a notification that people have already."""

    message = forms.CharField(
        label="Text",
        strip=False,
        max_length=4000,
        widget=forms.Textarea({"rows": 7, "autofocus": True, "data-compose": "", "lang": ""}),
    )
    extra = JsonObjectField(
        label="Data for the client (JSON object, may stay empty)",
        required=False,
        max_length=8000,
        widget=forms.Textarea({"rows": 4, "spellcheck": "false", "class": "mono"}),
    )

    def clean_message(self) -> str:
        """The text with line ends as everywhere."""
        text: str = self.cleaned_data["message"].replace("\r\n", "\n")
        if "\x00" in text:
            raise forms.ValidationError("The text holds a NUL character.")
        return text


class NotificationPages(InboxConsole):
    def pages(self) -> list[URLPattern]:
        one = "<uuid:notification_id>/"
        return [
            *super().pages(),
            self.at(f"{one}change/", self.notification, "change"),
            self.at(f"{one}live/", self.notification_live, "live"),
            self.at(f"{one}recall/", self.recall, "recall"),
            self.at(f"{one}expire/", self.expire, "expire"),
            self.at(f"{one}edit/", self.edit, "edit"),
        ]

    def notification(self, request: HttpRequest, notification_id: UUID) -> HttpResponse:
        """The page. Its queries are few and do not depend on how many notifications there are."""
        told = _story(notification_id)
        others = _others(told.row)
        return self.show(
            request,
            "notification",
            f"Notification …{str(notification_id)[-8:]}",
            others=others,
            screens=screens_of([row.pk for row in others]),
            acts=_acts(notification_id),
            can=_possible(told.row),
            clients=clients_of(told.row.recipient.pk),
            around=_around(told.row),
            **_live(told),
        )

    def notification_live(self, request: HttpRequest, notification_id: UUID) -> HttpResponse:
        """The part of the page that goes on, for the page that is open already (htmx).

        If the notification is in another state since (`seen` differs), the page loads again.
        """
        live = _live(_story(notification_id))
        if request.GET.get("seen") != live["seen"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return self.part(request, "_notification_live", **live)

    @deed("inbox.change_notification")
    def recall(self, request: HttpRequest, notification_id: UUID) -> str:
        told = notification_recall(notification_id=notification_id, by=request.user)
        had = {0: "no screen had it yet", 1: "one screen had it"}
        words = had.get(told.screens, f"{told.screens} screens had it")
        return f"It is recalled; {words}."

    @deed("inbox.change_notification")
    def expire(self, request: HttpRequest, notification_id: UUID) -> str:
        if not notifications_expire(notification_ids=[notification_id], by=request.user):
            raise NotificationSettled("only what is unread can expire")
        return "It has expired, as if its time had run out."

    def edit(self, request: HttpRequest, notification_id: UUID) -> HttpResponse:
        """GET: the form. POST: screens that show it get the new text, the others only the new one."""
        check(request, "inbox.change_notification")
        told = _story(notification_id)
        row = told.row
        if request.method != "POST":
            beginning = {"message": row.message, "extra": pretty(row.data)}
            return self._edit_form(request, told, EditForm(initial=beginning))
        form = EditForm(request.POST)
        if not form.is_valid():
            return self._edit_form(request, told, form)
        try:
            changed = notification_update(
                notification_id=notification_id,
                message=form.cleaned_data["message"],
                data=form.cleaned_data["extra"],
                by=request.user,
            )
        except DomainError as exc:
            form.add_error(None, f"{exc.message[:1].upper()}{exc.message[1:]}.".replace("..", "."))
            return self._edit_form(request, told, form)
        messages.success(request, f"Changed; this is edition {changed.edition}.")
        return HttpResponseRedirect(
            reverse("admin:inbox_notification_change", args=[notification_id])
        )

    def _edit_form(self, request: HttpRequest, told: Story, form: EditForm) -> HttpResponse:
        return self.show(
            request,
            "edit",
            f"Edit notification …{str(told.row.pk)[-8:]}",
            status=422 if form.errors else 200,
            form=form,
            row=told.row,
            recipient=told.row.recipient,
            picture=picture_of(told.row),
            screens_reached=told.screens,
            can=_possible(told.row),
        )


def pretty(data: dict[str, Any] | None) -> str:
    """JSON over several lines; nothing for None."""
    return "" if data is None else json.dumps(data, indent=2, ensure_ascii=False)


def _story(notification_id: UUID) -> Story:
    try:
        return story(notification_id)
    except NotFound:
        raise Http404(f"there is no notification {notification_id}") from None


def _live(told: Story) -> dict[str, Any]:
    """What changes while the page is open. `seen`: the state that the page was drawn for."""
    row = told.row
    return {
        "row": row,
        "recipient": told.row.recipient,
        "moments": told.moments,
        "why_not": told.why_not,
        "screens_reached": told.screens,
        "picture": picture_of(row),
        "seen": f"{row.state}.{row.edition}",
        "is_open": row.state in OPEN,
        "fallback_type": FALLBACK,
    }


def _others(row: Notification) -> list[Notification]:
    """What else the person got lately."""
    theirs = Notification.objects.filter(recipient_id=row.recipient_id, position__isnull=False)
    return list(shown(theirs.exclude(pk=row.pk)).order_by("-position")[:RECENT])


def _acts(notification_id: UUID) -> list[AuditEntry]:
    """What people did to it, newest first."""
    found = AuditEntry.objects.filter(object_type=OBJECT, object_id=str(notification_id))
    return list(found.order_by("-id")[:50])


def _around(row: Notification) -> str:
    """The query of the few minutes in which the same request sent to others."""
    return urlencode(
        {
            "accepted_from": (row.accepted_at - AROUND).isoformat(timespec="seconds"),
            "accepted_to": (row.accepted_at + AROUND).isoformat(timespec="seconds"),
        }
    )


def _possible(row: Notification) -> dict[str, bool]:
    """Which buttons make sense; the services decide."""
    return {
        "recall": row.state in {State.UNREAD, State.DEFERRED},
        "expire": row.state == State.UNREAD,
        "edit": row.state in {State.UNREAD, State.DEFERRED},
    }
