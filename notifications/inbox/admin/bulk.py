"""Acting on many notifications: first a page that says how many and what would be refused, then the act."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, reverse

from jobs.admin.pages import back, check, safe
from lib import clock
from lib.errors import DomainError
from notifications.inbox.admin.forms import NotificationFilterForm, first_error, uuid_of
from notifications.inbox.admin.pages import InboxConsole, once_make, once_take
from notifications.inbox.bulk import ACTIONS, MOST, notifications_bulk
from notifications.inbox.models import Notification
from notifications.inbox.selectors.notifications import NotificationFilter, screens_of, shown

# The words of an act, and the states of a row in which it is possible.
DEEDS: dict[str, dict[str, Any]] = {
    "recall": {
        "verb": "Recall",
        "done": "recalled",
        "takes": {"unread", "deferred"},
        "means": "They vanish from every screen that shows them, and no screen gets them any more.",
        "tone": "danger",
    },
    "expire": {
        "verb": "Expire",
        "done": "expired",
        "takes": {"unread"},
        "means": "They end as if their time had run out: off the screens, kept in the history.",
        "tone": "danger",
    },
}
assert DEEDS.keys() == ACTIONS.keys()

_ONCE = "inbox_bulk_once"
_RESULT = "inbox_bulk_result"


class BulkPages(InboxConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("act/", self.act, "act"),
            self.at("act/done/", self.act_done, "act_done"),
            *super().pages(),
        ]

    def act(self, request: HttpRequest) -> HttpResponse:
        """GET: what would happen. POST: it happens, once per page that was looked at."""
        check(request, "inbox.change_notification")
        data = request.POST if request.method == "POST" else request.GET
        action = data.get("action", "")
        where, form = _chosen(data)
        if action not in DEEDS or where is None:
            messages.error(request, _what_is_missing(action, form))
            return back(request, self.home())
        if request.method == "POST":
            return self._act_now(request, action, where)
        return self._dry_run(request, action, where, form)

    def _dry_run(
        self,
        request: HttpRequest,
        action: str,
        where: NotificationFilter,
        form: NotificationFilterForm | None,
    ) -> HttpResponse:
        if form is not None and where.accepted_to is None:
            # What is agreed to is what was seen: what is accepted after this moment stays out.
            where = replace(where, accepted_to=clock.now())
        result = notifications_bulk(where=where, action=action, by=None, dry_run=True)
        takes = DEEDS[action]["takes"]
        hidden = [
            ("action", action),
            ("once", once_make(request, _ONCE)),
            ("next", request.GET.get("next", "")),
        ]
        if form is None:
            hidden += [("id", str(notification_id)) for notification_id in where.ids]
        else:
            hidden += [("scope", "matching"), *_pinned(form, where).items()]
        return self.show(
            request,
            "bulk",
            f"{DEEDS[action]['verb']}: look before you act",
            deed=DEEDS[action],
            result=result,
            willing=sum(count for state, count in result.states.items() if state in takes),
            refusing={s: count for s, count in result.states.items() if s not in takes},
            sample=_rows(result.sample),
            screens=screens_of(result.sample),
            hidden=hidden,
            chips=form.chips() if form else [],
            most=MOST,
            origin=safe(request, request.GET.get("next", ""), self.home()),
        )

    def _act_now(
        self, request: HttpRequest, action: str, where: NotificationFilter
    ) -> HttpResponse:
        if not once_take(request, _ONCE):
            messages.warning(
                request,
                "Nothing was done: that page was used before, or is out of date. Look again.",
            )
            return back(request, self.home())
        try:
            result = notifications_bulk(
                where=where,
                action=action,
                by=request.user,
                reason=request.POST.get("reason", "")[:200],
                dry_run=False,
            )
        except DomainError as exc:
            messages.error(request, f"Refused: {exc.message}.".replace("..", "."))
            return back(request, self.home())
        request.session[_RESULT] = {
            "action": action,
            "done": result.done,
            "matched": result.matched,
            "refused": {str(pk): why for pk, why in result.refused.items()},
            "more": result.more,
            "origin": safe(request, request.POST.get("next", ""), self.home()),
        }
        return HttpResponseRedirect(reverse("admin:inbox_notification_act_done"))

    def act_done(self, request: HttpRequest) -> HttpResponse:
        """What was done, and what was refused and why. Safe to load again."""
        result = request.session.get(_RESULT)
        if result is None:
            return HttpResponseRedirect(self.home())
        return self.show(
            request,
            "bulk_done",
            "Done",
            deed=DEEDS[result["action"]],
            result=result,
            refused_count=result["matched"] - result["done"],
            origin=result["origin"],
        )


def _chosen(data: QueryDict) -> tuple[NotificationFilter | None, NotificationFilterForm | None]:
    """The notifications that are meant: those that were ticked, or all that match a filter."""
    if data.get("scope") != "matching":
        ids = tuple(pk for text in data.getlist("id")[:MOST] if (pk := uuid_of(text)))
        return (NotificationFilter(ids=ids) if ids else None), None
    form = NotificationFilterForm(data)
    if not form.is_valid() or form.where() == NotificationFilter():
        return None, form
    return form.where(), form


def _what_is_missing(action: str, form: NotificationFilterForm | None) -> str:
    if action not in DEEDS:
        return "Choose what to do first."
    if form is None:
        return "Tick at least one notification first."
    if form.errors:
        return first_error(form)
    return "Filter the list first: acting on every notification there is would be a mistake."


def _pinned(form: NotificationFilterForm, where: NotificationFilter) -> dict[str, str]:
    """The filter with its times fixed: "2h" means another range by the time of the click."""
    times = {"accepted_from": where.accepted_from, "accepted_to": where.accepted_to}
    return form.given() | {name: at.isoformat() for name, at in times.items() if at}


def _rows(ids: list[UUID]) -> list[Notification]:
    return list(shown(Notification.objects.filter(pk__in=ids)).order_by("-id"))
