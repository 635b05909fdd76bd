"""Acting on many jobs: first a page that says how many and what would be refused, then the act."""

import secrets
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, reverse

from jobs.admin.forms import JobFilterForm
from jobs.admin.pages import ConsoleAdmin, back, check, safe
from jobs.bulk import ACTIONS, MOST, JobFilter, jobs_bulk
from jobs.models import JobRecord, Priority, State
from jobs.selectors.listing import COLUMNS
from lib import clock
from lib.errors import DomainError

# The words of an act, and the states of a row in which it is possible.
_WAITING = {State.SCHEDULED, State.AVAILABLE}
DEEDS: dict[str, dict[str, Any]] = {
    "replay": {
        "verb": "Replay",
        "done": "replayed",
        "takes": {State.DEAD, State.COMPLETED, State.CANCELLED},
        "means": "Each becomes a new job with the same args; a dead one is put away as replayed.",
    },
    "retry": {
        "verb": "Run now",
        "done": "told to run now",
        "takes": {*_WAITING, State.DEAD},
        "means": "Each is due at once. A dead one gets all its attempts back.",
    },
    "cancel": {
        "verb": "Cancel",
        "done": "cancelled",
        "takes": {*_WAITING, State.RUNNING},
        "means": "Waiting ones never run. Running ones are told to stop.",
    },
    "discard": {
        "verb": "Discard",
        "done": "discarded",
        "takes": {State.DEAD},
        "means": "They are put away for good and stay in the history.",
    },
    "reprioritize": {
        "verb": "Change priority",
        "done": "given another priority",
        "takes": _WAITING,
        "means": "They are leased earlier or later from now on.",
    },
}
assert set(DEEDS) == set(ACTIONS)

_ONCE = "jobs_bulk_once"
_RESULT = "jobs_bulk_result"


class BulkPages(ConsoleAdmin):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("act/", self.act, "act"),
            self.at("act/done/", self.act_done, "act_done"),
            *super().pages(),
        ]

    def act(self, request: HttpRequest) -> HttpResponse:
        """GET: what would happen. POST: it happens, once per page that was looked at."""
        check(request, "jobs.operate_job")
        data = request.POST if request.method == "POST" else request.GET
        action = data.get("action", "")
        where, form = _chosen(data)
        if action not in DEEDS or where is None:
            messages.error(request, _what_is_missing(action, data, form))
            return back(request, self.home())
        if request.method == "POST":
            return self._act_now(request, action, where)
        return self._dry_run(request, action, where, form)

    def _dry_run(
        self, request: HttpRequest, action: str, where: JobFilter, form: JobFilterForm | None
    ) -> HttpResponse:
        if form is not None and where.created_to is None:
            # What is agreed to is what was seen: jobs made after this moment stay out.
            where = replace(where, created_to=clock.now())
        result = jobs_bulk(where=where, action=action, by=None, dry_run=True)
        states = Counter(where.query().values_list("state", flat=True)[:MOST])
        takes = DEEDS[action]["takes"]
        once = secrets.token_urlsafe(12)
        request.session[_ONCE] = once
        hidden = [("action", action), ("once", once), ("next", request.GET.get("next", ""))]
        if form is None:
            hidden += [("id", str(job_id)) for job_id in where.ids]
        else:
            hidden += [("scope", "matching"), *_pinned(form, where).items()]
        return self.show(
            request,
            "bulk",
            f"{DEEDS[action]['verb']}: look before you act",
            deed=DEEDS[action],
            action=action,
            result=result,
            willing=sum(count for state, count in states.items() if state in takes),
            refusing={state: count for state, count in states.items() if state not in takes},
            sample=_rows(result.sample),
            hidden=hidden,
            chips=form.chips() if form else [],
            priorities=Priority.choices,
            most=MOST,
            origin=safe(request, request.GET.get("next", ""), self.home()),
        )

    def _act_now(self, request: HttpRequest, action: str, where: JobFilter) -> HttpResponse:
        once = request.session.get(_ONCE)
        if once is None or once != request.POST.get("once"):
            messages.warning(
                request,
                "Nothing was done: that page was used before, or is out of date. Look again.",
            )
            return back(request, self.home())
        del request.session[_ONCE]
        priority = request.POST.get("priority", "")
        try:
            result = jobs_bulk(
                where=where,
                action=action,
                by=request.user,
                dry_run=False,
                priority=int(priority) if priority in {"0", "1", "2", "3"} else None,
            )
        except DomainError as exc:
            messages.error(request, f"Refused: {exc.message}.")
            return back(request, self.home())
        request.session[_RESULT] = {
            "action": action,
            "done": result.done,
            "matched": result.matched,
            "refused": result.refused,
            "more": result.more,
            "origin": safe(request, request.POST.get("next", ""), self.home()),
        }
        return HttpResponseRedirect(reverse("admin:jobs_jobrecord_act_done"))

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


def _chosen(data: QueryDict) -> tuple[JobFilter | None, JobFilterForm | None]:
    """The jobs that are meant: those that were ticked, or all that match a filter that says something."""
    if data.get("scope") != "matching":
        ids = tuple(job_id for text in data.getlist("id")[:MOST] if (job_id := _uuid(text)))
        return (JobFilter(ids=ids) if ids else None), None
    form = JobFilterForm(data)
    if not form.is_valid() or form.where() == JobFilter():
        return None, form
    return form.where(), form


def _what_is_missing(action: str, data: QueryDict, form: JobFilterForm | None) -> str:
    if action not in DEEDS:
        return "Choose what to do first."
    if form is None:
        return "Tick at least one job first."
    if form.errors:
        name, found = next(iter(form.errors.items()))
        return f"{form.fields[name].label}: {found[0]}"
    return "Filter the list first: acting on every job there is would be a mistake."


def _pinned(form: JobFilterForm, where: JobFilter) -> dict[str, str]:
    """The filter with its times fixed: "2h" means another range by the time of the click."""
    times = {"created_from": where.created_from, "created_to": where.created_to}
    return form.given() | {name: at.isoformat() for name, at in times.items() if at}


def _rows(ids: list[str]) -> list[JobRecord]:
    return list(JobRecord.objects.filter(pk__in=ids).only(*COLUMNS).order_by("-id"))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
