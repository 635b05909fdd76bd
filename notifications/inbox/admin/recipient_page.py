"""The page of one person: the inbox with the unread first, the devices, the preferences."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.pages import check
from jobs.models import AuditEntry
from notifications.inbox.admin.pages import InboxConsole
from notifications.inbox.admin.preferences_form import PreferencesForm, preferences_initial
from notifications.inbox.models import Notification, Recipient
from notifications.inbox.preferences import PreferencesInvalid, preferences_set
from notifications.inbox.selectors.forecast import quiet_until
from notifications.inbox.selectors.notifications import screens_of, shown
from notifications.inbox.selectors.pods import clients_of

UNREAD_MOST = 50  # shown above the others
HISTORY = 50
HELD_MOST = 20
OBJECT = "recipient"  # what the audit log calls it


class RecipientPages(InboxConsole):
    def pages(self) -> list[URLPattern]:
        one = "<int:recipient_id>/"
        return [
            *super().pages(),
            self.at(f"{one}change/", self.recipient, "change"),
            self.at(f"{one}devices/", self.devices, "devices"),
        ]

    def recipient(self, request: HttpRequest, recipient_id: int) -> HttpResponse:
        """GET: the page. POST: the preferences that were filled in."""
        row = _get(recipient_id)
        if request.method != "POST":
            return self._page(request, row, PreferencesForm(initial=preferences_initial(row)))
        check(request, "inbox.change_recipient")
        form = PreferencesForm(request.POST)
        if not form.is_valid():
            return self._page(request, row, form)
        try:
            preferences_set(
                user_id=row.user_id, login=row.login, by=request.user, **form.cleaned_data
            )
        except PreferencesInvalid as exc:
            for error in exc.extra["errors"]:
                form.add_error(error["field"], error["message"])
            return self._page(request, row, form)
        messages.success(request, f"The preferences of {row.login or row.user_id} are saved.")
        return HttpResponseRedirect(reverse("admin:inbox_recipient_change", args=[row.pk]))

    def devices(self, request: HttpRequest, recipient_id: int) -> HttpResponse:
        """Which devices are connected, for the page that is open already (htmx)."""
        row = _get(recipient_id)
        return self.part(request, "_devices", recipient=row, clients=clients_of(row.pk))

    def _page(self, request: HttpRequest, row: Recipient, form: PreferencesForm) -> HttpResponse:
        inbox = inbox_of(row)
        rows = [*inbox["held"], *inbox["unread"], *inbox["rest"]]
        return self.show(
            request,
            "recipient",
            f"Recipient {row.login or row.user_id}",
            status=422 if form.errors else 200,
            recipient=row,
            form=form,
            clients=clients_of(row.pk),
            quiet_until=quiet_until([row.pk]).get(row.pk),
            screens=screens_of([one.pk for one in rows]),
            acts=_acts(row),
            **inbox,
        )


def inbox_of(row: Recipient) -> dict[str, Any]:
    """The inbox of a person: what is held back, the unread, then the rest; newest first. Three queries."""
    theirs = shown(Notification.objects.filter(recipient_id=row.pk))
    placed = theirs.filter(position__isnull=False).order_by("-position")
    return {
        "held": list(theirs.filter(state="deferred").order_by("deliver_at", "pk")[:HELD_MOST]),
        "unread": list(placed.filter(state="unread")[:UNREAD_MOST]),
        "rest": list(placed.exclude(state="unread")[:HISTORY]),
    }


def _get(recipient_id: int) -> Recipient:
    row = Recipient.objects.filter(pk=recipient_id).first() if recipient_id < 2**63 else None
    if row is None:
        raise Http404(f"there is no recipient {recipient_id}")
    return row


def _acts(row: Recipient) -> list[AuditEntry]:
    """What people did to the preferences, newest first."""
    found = AuditEntry.objects.filter(object_type=OBJECT, object_id=f"{row.user_id}-{row.login}")
    return list(found.order_by("-id")[:20])
