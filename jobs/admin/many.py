"""Acting on many rows: first a page that says how many and what would be refused, then the act.

A list gets these two pages from ManyPages, told by a Many what differs, and from the templates bulk.html
and bulk_done.html of its area, which fill the blocks of those in templates/admin/console.
"""

import secrets
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse

from jobs.admin.pages import ConsoleAdmin, back, check, safe
from jobs.idempotency import IdempotencyInFlight, answer_once
from lib import clock
from lib.errors import DomainError


@dataclass(frozen=True, slots=True)
class ManyDeed:
    """The words of an act, and the states of a row in which it is possible."""

    verb: str
    done: str  # "3 jobs <done>", "3 can be <done>"
    takes: Set[str]
    means: str
    tone: str = "primary"  # of its button; or "danger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """What the pages of one area have of their own.

    where: the filter of the area, a frozen dataclass whose empty value matches all. It has `ids`, and
    its fields `since` and `until` (moments) say when the rows were made.
    bulk: the service, called with where, action, by, dry_run and what was `asked`. Its result has
    matched, done, more and sample, the first keys. It may raise DomainError.
    """

    noun: str  # what a row is: "job"
    permission: str  # to act: "jobs.operate_job"
    deeds: Mapping[str, ManyDeed]
    most: int  # rows that one act takes
    where: type[Any]
    since: str = "created_from"
    until: str = "created_to"
    filter_form: type[Any]  # the FilterForm of the list; its `where` gives one
    key: Callable[[str], Any]  # of a row, as a form sends it; None for what is none
    bulk: Callable[..., Any]
    about: Callable[[Any], dict[str, Any]]  # of a dry run, for its page; `sample`: its rows
    # What else the page asks, as arguments of `bulk`.
    asked: Callable[[QueryDict], dict[str, Any]] = lambda sent: {}
    # How many of the matched are in each state: of the filter and the result of a dry run.
    states: Callable[[Any, Any], Mapping[str, int]] = lambda where, result: result.states
    # Why which were refused, by key; the first reasons if there are many.
    refused: Callable[[Any], dict[str, str]] = lambda result: {
        str(pk): why for pk, why in result.refused.items()
    }


class ManyPages(ConsoleAdmin):
    """The pages `act` and `act_done` of a list."""

    many: ClassVar[Many]

    def pages(self) -> list[URLPattern]:
        return [
            self.at("act/", self.act, "act"),
            self.at("act/done/", self.act_done, "act_done"),
            *super().pages(),
        ]

    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page that knows what can be done to many: the list offers it."""
        base = f"admin/{self.opts.app_label}/base.html"
        words = {"noun": self.many.noun, "deeds": self.many.deeds, "base": base}
        return super().show(request, template, title, status, **words, **context)

    def act(self, request: HttpRequest) -> HttpResponse:
        """GET: what would happen. POST: it happens, once per page that was looked at."""
        check(request, self.many.permission)
        data = request.POST if request.method == "POST" else request.GET
        action = data.get("action", "")
        where, form = self._chosen(data)
        if action not in self.many.deeds or where is None:
            messages.error(request, self._what_is_missing(action, form))
            return back(request, self.home())
        if request.method == "POST":
            return self._act_now(request, action, where)
        return self._dry_run(request, action, where, form)

    def act_done(self, request: HttpRequest) -> HttpResponse:
        """What was done, and what was refused and why. Safe to load again."""
        result = request.session.get(self._kept("result"))
        if result is None:
            return HttpResponseRedirect(self.home())
        return self.show(
            request,
            "bulk_done",
            "Done",
            deed=self.many.deeds[result["action"]],
            result=result,
            refused_count=result["matched"] - result["done"],
            origin=result["origin"],
        )

    def _dry_run(
        self, request: HttpRequest, action: str, where: Any, form: Any | None
    ) -> HttpResponse:
        if form is not None and getattr(where, self.many.until) is None:
            # What is agreed to is what was seen: what is made after this moment stays out.
            where = replace(where, **{self.many.until: clock.now()})
        result = self.many.bulk(where=where, action=action, by=None, dry_run=True)
        deed, states = self.many.deeds[action], self.many.states(where, result)
        way_back = request.GET.get("next", "")
        hidden = [("action", action), ("once", once_make(request, self._kept("once")))]
        hidden += [("next", way_back), *self._selection(where, form)]
        return self.show(
            request,
            "bulk",
            f"{deed.verb}: look before you act",
            deed=deed,
            action=action,
            result=result,
            willing=sum(count for state, count in states.items() if state in deed.takes),
            refusing={state: count for state, count in states.items() if state not in deed.takes},
            hidden=hidden,
            chips=form.chips() if form else [],
            most=self.many.most,
            origin=safe(request, way_back, self.home()),
            **self.many.about(result),
        )

    def _act_now(self, request: HttpRequest, action: str, where: Any) -> HttpResponse:
        if not once_take(request, self._kept("once")):
            messages.warning(
                request,
                "Nothing was done: that page was used before, or is out of date. Look again.",
            )
            return back(request, self.home())
        try:
            result = self.many.bulk(
                where=where,
                action=action,
                by=request.user,
                dry_run=False,
                **self.many.asked(request.POST),
            )
        except DomainError as exc:
            messages.error(request, f"Refused: {exc.message}.".replace("..", "."))
            return back(request, self.home())
        request.session[self._kept("result")] = {
            "action": action,
            "done": result.done,
            "matched": result.matched,
            "refused": self.many.refused(result),
            "more": result.more,
            "origin": safe(request, request.POST.get("next", ""), self.home()),
        }
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_act_done"
        return HttpResponseRedirect(reverse(name))

    def _chosen(self, data: QueryDict) -> tuple[Any | None, Any | None]:
        """What is meant: the rows that were ticked, or all that match a filter that says something."""
        if data.get("scope") != "matching":
            ids = tuple(filter(None, map(self.many.key, data.getlist("id")[: self.many.most])))
            return (self.many.where(ids=ids) if ids else None), None
        form = self.many.filter_form(data)
        where = form.where() if form.is_valid() else None
        return (None if where == self.many.where() else where), form

    def _selection(self, where: Any, form: Any | None) -> list[tuple[str, str]]:
        """The hidden fields that mean the same rows again.

        The times of a filter are fixed: "2h" means another range by the time of the click.
        """
        if form is None:
            return [("id", str(pk)) for pk in where.ids]
        times = {name: getattr(where, name) for name in (self.many.since, self.many.until)}
        fixed = {name: at.isoformat() for name, at in times.items() if at}
        return [("scope", "matching"), *(form.given() | fixed).items()]

    def _what_is_missing(self, action: str, form: Form | None) -> str:
        if action not in self.many.deeds:
            return "Choose what to do first."
        if form is None:
            return f"Tick at least one {self.many.noun} first."
        for name, found in form.errors.items():
            label = form.fields[name].label if name in form.fields else "Form"
            return f"{label}: {found[0]}"
        return (
            f"Filter the list first: acting on every {self.many.noun} there is would be a mistake."
        )

    def _kept(self, what: str) -> str:
        """The name under which the session keeps it."""
        return f"{self.opts.app_label}_bulk_{what}"


def once_make(request: HttpRequest, name: str) -> str:
    """A word for a page that asks whether one is sure; what it asks can be done once with it."""
    word = secrets.token_urlsafe(12)
    request.session[name] = word
    return word


def once_take(request: HttpRequest, name: str) -> bool:
    """Whether the page that was sent is the one looked at last, and was not sent before.

    Of two that come in the same moment, each with the session as it was before, one is the first.
    """
    word = request.session.get(name)
    if word is None or word != request.POST.get("once"):
        return False
    del request.session[name]
    try:
        answer = answer_once(
            account_id=int(request.user.pk or 0),
            scope=f"once:{name}"[:80],
            key=word,
            body=None,
            act=lambda: (200, None),
        )
    except IdempotencyInFlight:
        return False
    return not answer.is_repeat
