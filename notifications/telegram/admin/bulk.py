"""Acting on many messages: first a page that says how many and what would be refused, then the act."""

import secrets
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, reverse

from jobs.admin.pages import back, check, safe
from lib import clock
from lib.errors import DomainError
from notifications.telegram.admin.forms import MessageFilterForm
from notifications.telegram.admin.pages import TelegramConsole, number_of
from notifications.telegram.bulk import ACTIONS, MOST, messages_bulk
from notifications.telegram.listing import MessageFilter, shown
from notifications.telegram.models import QueuedMessage

# The words of an act, and the states of a row in which it is possible.
DEEDS: dict[str, dict[str, Any]] = {
    "retry": {
        "verb": "Retry",
        "done": "put back into the queue",
        "takes": {"failed", "cancelled"},
        "means": "Each is due at once and gets all its tries back, in the order of its chat.",
        "tone": "primary",
    },
    "cancel": {
        "verb": "Cancel",
        "done": "cancelled",
        "takes": {"pending"},
        "means": "They are never sent. Each can be brought back by a retry.",
        "tone": "danger",
    },
}
assert DEEDS.keys() == ACTIONS.keys()

_ONCE = "telegram_bulk_once"
_RESULT = "telegram_bulk_result"


class BulkPages(TelegramConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("act/", self.act, "act"),
            self.at("act/done/", self.act_done, "act_done"),
            *super().pages(),
        ]

    def act(self, request: HttpRequest) -> HttpResponse:
        """GET: what would happen. POST: it happens, once per page that was looked at."""
        check(request, "telegram.operate_message")
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
        where: MessageFilter,
        form: MessageFilterForm | None,
    ) -> HttpResponse:
        if form is not None and where.created_to is None:
            # What is agreed to is what was seen: messages made after this moment stay out.
            where = replace(where, created_to=clock.now())
        result = messages_bulk(where=where, action=action, by=None, dry_run=True)
        takes = DEEDS[action]["takes"]
        once = secrets.token_urlsafe(12)
        request.session[_ONCE] = once
        hidden = [("action", action), ("once", once), ("next", request.GET.get("next", ""))]
        if form is None:
            hidden += [("id", str(message_id)) for message_id in where.ids]
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
            hidden=hidden,
            chips=form.chips() if form else [],
            most=MOST,
            origin=safe(request, request.GET.get("next", ""), self.home()),
        )

    def _act_now(self, request: HttpRequest, action: str, where: MessageFilter) -> HttpResponse:
        once = request.session.get(_ONCE)
        if once is None or once != request.POST.get("once"):
            messages.warning(
                request,
                "Nothing was done: that page was used before, or is out of date. Look again.",
            )
            return back(request, self.home())
        del request.session[_ONCE]
        try:
            result = messages_bulk(where=where, action=action, by=request.user, dry_run=False)
        except DomainError as exc:
            messages.error(request, f"Refused: {exc.message}.")
            return back(request, self.home())
        request.session[_RESULT] = {
            "action": action,
            "done": result.done,
            "matched": result.matched,
            "refused": {str(pk): why for pk, why in result.refused.items()},
            "more": result.more,
            "origin": safe(request, request.POST.get("next", ""), self.home()),
        }
        return HttpResponseRedirect(reverse("admin:telegram_queuedmessage_act_done"))

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


def _chosen(data: QueryDict) -> tuple[MessageFilter | None, MessageFilterForm | None]:
    """The messages that are meant: those that were ticked, or all that match a filter."""
    if data.get("scope") != "matching":
        ids = tuple(pk for text in data.getlist("id")[:MOST] if (pk := number_of(text)))
        return (MessageFilter(ids=ids) if ids else None), None
    form = MessageFilterForm(data)
    if not form.is_valid() or form.where() == MessageFilter():
        return None, form
    return form.where(), form


def _what_is_missing(action: str, form: MessageFilterForm | None) -> str:
    if action not in DEEDS:
        return "Choose what to do first."
    if form is None:
        return "Tick at least one message first."
    if form.errors:
        name, found = next(iter(form.errors.items()))
        return f"{form.fields[name].label}: {found[0]}"
    return "Filter the list first: acting on every message there is would be a mistake."


def _pinned(form: MessageFilterForm, where: MessageFilter) -> dict[str, str]:
    """The filter with its times fixed: "2h" means another range by the time of the click."""
    times = {"created_from": where.created_from, "created_to": where.created_to}
    return form.given() | {name: at.isoformat() for name, at in times.items() if at}


def _rows(ids: list[int]) -> list[QueuedMessage]:
    return list(shown(QueuedMessage.objects.filter(pk__in=ids)).order_by("-id"))
