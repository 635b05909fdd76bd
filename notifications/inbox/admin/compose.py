"""Writing a notification by hand: to one or to many, seen before it is sent, sent once."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import uuid_of
from jobs.admin.many import once_make, once_take
from jobs.admin.pages import check
from jobs.audit import audit_write
from lib import clock
from lib.context import correlation_id
from lib.errors import DomainError
from notifications.inbox.accept import accept
from notifications.inbox.admin.compose_form import ComposeForm
from notifications.inbox.admin.notification_page import pretty
from notifications.inbox.admin.pages import InboxConsole
from notifications.inbox.admin.people import Person, people_written
from notifications.inbox.admin.picture import picture_make
from notifications.inbox.admin.preferences_form import span_written
from notifications.inbox.models import Client, Notification, Recipient
from notifications.inbox.selectors.forecast import forecast
from notifications.inbox.shapes import Draft

CONNECTED_MOST = 1000  # people that are filled in at once
_ONCE = "inbox_compose_once"


class ComposePages(InboxConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("compose/", self.compose, "compose"),
            self.at("picture/", self.picture, "picture"),
            *super().pages(),
        ]

    def compose(self, request: HttpRequest) -> HttpResponse:
        """GET: the form. POST: first what would happen, and only from there it is sent."""
        check(request, "inbox.send_notification")
        if request.method != "POST":
            return self._form(request, ComposeForm(initial=_beginning(request.GET)))
        go = request.POST.get("go", "")
        form = ComposeForm(request.POST)
        if go == "back" or not form.is_valid():
            return self._form(request, form)
        if go == "send":
            return self._send(request, form)
        return self._look(request, form)

    def picture(self, request: HttpRequest) -> HttpResponse:
        """How a text would look, for the form that is being filled in (htmx). Nothing is kept."""
        return self.part(request, "_card", picture=_picture(request.POST))

    def _form(self, request: HttpRequest, form: ComposeForm) -> HttpResponse:
        # Coming back from the look is no mistake, whatever the form would say of what is written.
        is_wrong = request.POST.get("go") != "back" and bool(form.errors)
        return self.show(
            request,
            "compose",
            "Write a notification",
            status=422 if is_wrong else 200,
            form=form,
            picture=_picture(form.data if form.is_bound else form.initial),
            connected_most=CONNECTED_MOST,
        )

    def _look(self, request: HttpRequest, form: ComposeForm) -> HttpResponse:
        return self.show(
            request,
            "compose_look",
            "Look before you send",
            forecast=forecast(form.draft),
            draft=form.draft,
            picture=_picture(request.POST),
            hidden=[(name, form.data.get(name, "")) for name in form.fields],
            once=once_make(request, _ONCE),
        )

    def _send(self, request: HttpRequest, form: ComposeForm) -> HttpResponse:
        if not once_take(request, _ONCE):
            messages.warning(
                request,
                "Nothing was sent: that page was used before, or is out of date. Look again.",
            )
            return self._form(request, form)
        draft = form.draft
        draft.correlation_id = correlation_id.get() or ""
        draft.sender_id = request.user.pk
        try:
            ids = _accept(request, draft)
        except DomainError as exc:
            form.add_error(None, f"{exc.message[:1].upper()}{exc.message[1:]}.".replace("..", "."))
            return self._form(request, form)
        if len(ids) == 1:
            messages.success(request, "It is accepted, and on its way to the screens.")
            return HttpResponseRedirect(reverse("admin:inbox_notification_change", args=ids))
        messages.success(request, f"{len(ids)} notifications are accepted and on their way.")
        return HttpResponseRedirect(f"{self.home()}?{_theirs(draft)}")


def _accept(request: HttpRequest, draft: Draft) -> list[UUID]:
    """Send it, with one line in the audit log, in one transaction."""
    ids = list(draft.ids.values())
    with transaction.atomic():
        accept([draft])
        if len(ids) == 1:
            audit_write(request.user, "inbox.send", "notification", ids[0], **_facts(draft))
        else:
            audit_write(request.user, "inbox.send", "notifications", "many", **_facts(draft))
    return ids


def _facts(draft: Draft) -> dict[str, Any]:
    """What the audit log keeps of a draft: whom, not what."""
    named = [f"{user_id}:{login}" for user_id, login in list(draft.ids)[:20]]
    return {
        "people": len(draft.ids), "to": ", ".join(named), "source": draft.source,
        "priority": draft.priority,
    }  # fmt: skip


def _theirs(draft: Draft) -> str:
    """The query of the list that shows what was just sent."""
    if not draft.correlation_id:
        return urlencode({"source": draft.source, "accepted_from": "5m"})
    minute = clock.now().replace(second=0, microsecond=0)
    return urlencode({"correlation_id": draft.correlation_id, "accepted_from": minute.isoformat()})


def _beginning(query: QueryDict) -> dict[str, Any]:
    """What the form holds at first: people that were named or ticked, the text of another one."""
    people = [Person(None, text[:180]) for text in query.getlist("to")[:100]]
    ids = [int(text) for text in query.getlist("id")[:1000] if text.isascii() and text.isdigit()]
    rows = Recipient.objects.filter(pk__in=[pk for pk in ids if pk < 2**63]).order_by("pk")
    people += [Person(row.user_id, row.login) for row in (rows if ids else [])]
    if query.get("everyone") == "connected":
        pairs = Client.objects.order_by("user_id", "login").values_list("user_id", "login")
        people += [Person(*pair) for pair in pairs.distinct()[:CONNECTED_MOST]]
    found: dict[str, Any] = {"to": people_written(people)}
    copied = uuid_of(query.get("copy", ""))
    if copied and (row := Notification.objects.filter(pk=copied).first()) is not None:
        found |= {
            "message": row.message,
            "source": row.source,
            "priority": str(row.priority),
            "ttl_s": span_written(row.ttl_s),
            "collapse_key": row.collapse_key or "",
            "extra": pretty(row.data),
        }
    return found


def _picture(data: Any) -> Any:
    """How what stands in the form would look; wrong data is left out."""
    form = ComposeForm({**dict(data.items()), "to": "1:x"})
    form.errors  # noqa: B018 - makes cleaned_data
    priority = str(data.get("priority") or "2")
    return picture_make(
        message=str(data.get("message") or "").replace("\r\n", "\n"),
        source=str(data.get("source") or form.fields["source"].initial),
        priority=int(priority) if priority in {"0", "1", "2", "3"} else 2,
        data=form.cleaned_data.get("extra"),
    )
