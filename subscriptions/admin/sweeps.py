"""Sweeps in the console: what they would cut, what holds them, and what became of each person."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import number_of, uuid_of
from jobs.admin.lists import quick_links, turning
from jobs.admin.pages import deed
from jobs.models import AuditEntry
from jobs.progress.pages import live_context
from jobs.progress.registry import operation_find
from lib.errors import NotFound
from subscriptions.admin.lifecycle_forms import LimitsForm, SweepFilterForm
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.lifecycle.kinds import sweep_kind
from subscriptions.lifecycle.progress import OPERATE
from subscriptions.lifecycle.reasons import ITEMS
from subscriptions.lifecycle.selectors import (
    items_page,
    limits_of,
    standings,
    sweeps_page,
)
from subscriptions.lifecycle.starting import sweep_run_now
from subscriptions.lifecycle.sweeps import (
    OBJECT,
    settings_change,
    sweep_approve,
    sweep_get,
    sweep_refuse,
    sweep_stop,
)
from subscriptions.models import Sweep, SweepState

CHANGE = "subscriptions.change_sweepsettings"
ACTS = 12
# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Held", "state=held"),
    ("Running", "state=running"),
    ("Observed", "state=observed"),
    ("Refused", "state=refused"),
)
FATES = (
    ("Everybody", ""),
    ("Open", "open"),
    ("Done", "done"),
    ("Skipped", "skipped"),
    ("Unknown", "unknown"),
    ("Failed", "failed"),
)


@admin.register(Sweep)
class SweepAdmin(SubscriptionConsole):
    def pages(self) -> list[URLPattern]:
        one = "<uuid:sweep_id>/"
        return [
            self.at("run/<str:name>/", self.run_now, "run"),
            self.at("observe/<str:name>/", self.observe, "observe"),
            self.at("limits/<str:name>/", self.limits, "limits"),
            self.at(f"{one}change/", self.sweep, "change"),
            self.at(f"{one}approve/", self.approve, "approve"),
            self.at(f"{one}refuse/", self.refuse, "refuse"),
            self.at(f"{one}stop/", self.stop, "stop"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All runs, newest first, below what each sweep may do. Its queries do not depend on how many."""
        del extra_context
        form = SweepFilterForm(request.GET)
        page = None
        if form.is_valid():
            page = sweeps_page(form.where(), after=uuid_of(request.GET.get("after", "")))
        return self.show(
            request,
            "sweeps",
            "Sweeps",
            standings=standings(),
            quick=quick_links(form, QUICK),
            page=page,
            **turning(request, form, page.after if page else None),
        )

    def sweep(self, request: HttpRequest, sweep_id: UUID) -> HttpResponse:
        """One run: how far it is, who it is about, what holds it."""
        try:
            row = sweep_get(sweep_id)
        except NotFound as exc:
            raise Http404(exc.message) from None
        fate, reason = request.GET.get("fate", ""), request.GET.get("reason", "")
        page = items_page(
            row.pk,
            fate=fate if fate in dict(FATES).values() else "",
            reason=reason if reason in ITEMS else "",
            after=number_of(request.GET.get("after", "")) or 0,
        )
        live = live_context(request, *operation_find(row.pk))
        live["progress_live"]["acts"] = []  # the page has buttons of its own, which say more
        chosen = urlencode({k: v for k, v in (("fate", fate), ("reason", reason)) if v})
        following = f"?{urlencode({'after': str(page.after)})}&{chosen}" if page.after else ""
        return self.show(
            request,
            "sweep",
            sweep_kind(row.name).title,
            row=row,
            kind=sweep_kind(row.name),
            limits=limits_of(row.name),
            percent=_percent(row),
            is_held=row.state == SweepState.HELD,
            is_running=row.state == SweepState.RUNNING,
            page=page,
            following=following.rstrip("&"),
            fates=[(label, value, value == fate) for label, value in FATES],
            fate=fate,
            acts=AuditEntry.objects.filter(object_type=OBJECT, object_id=str(row.pk)).order_by(
                "-id"
            )[:ACTS],
            **live,
        )

    @deed(OPERATE)
    def approve(self, request: HttpRequest, sweep_id: UUID) -> str:
        sweep = sweep_approve(sweep_id=sweep_id, by=request.user)
        return f"It runs: {sweep.found} people are looked at again, one by one."

    @deed(OPERATE)
    def refuse(self, request: HttpRequest, sweep_id: UUID) -> str:
        sweep = sweep_refuse(sweep_id=sweep_id, by=request.user)
        return f"Nobody of the {sweep.found} is cut, also not by later runs."

    @deed(OPERATE)
    def stop(self, request: HttpRequest, sweep_id: UUID) -> str:
        sweep = sweep_stop(sweep_id=sweep_id, by=request.user)
        return f"It is stopped; {sweep.done} were done by then."

    @deed(OPERATE)
    def run_now(self, request: HttpRequest, name: str) -> str | HttpResponse:
        sweep = sweep_run_now(name=name, by=request.user)
        if sweep is None:
            return "It looked, and found nobody."
        return HttpResponseRedirect(reverse("admin:subscriptions_sweep_change", args=[sweep.pk]))

    @deed(CHANGE)
    def observe(self, request: HttpRequest, name: str) -> str:
        is_observing = request.POST.get("observe") == "1"
        settings_change(name=name, by=request.user, is_observing=is_observing)
        title = sweep_kind(name).title
        return f"{title}: {'it only observes' if is_observing else 'it acts'} from now on."

    def limits(self, request: HttpRequest, name: str) -> HttpResponse:
        """What holds a sweep, beside how large its last runs were."""
        try:
            kind = sweep_kind(name)
        except NotFound as exc:
            raise Http404(exc.message) from None
        if request.method == "POST":
            return self._limits_change(request, name)
        return self._limits_page(request, name, LimitsForm.of(limits_of(kind.name)))

    @deed(CHANGE)
    def _limits_change(self, request: HttpRequest, name: str) -> str | HttpResponse:
        form = LimitsForm(request.POST)
        if not form.is_valid():
            return self._limits_page(request, name, form, status=422)
        settings_change(name=name, by=request.user, **form.cleaned_data)
        return f"{sweep_kind(name).title}: the limits are changed."

    def _limits_page(
        self, request: HttpRequest, name: str, form: LimitsForm, status: int = 200
    ) -> HttpResponse:
        kind = sweep_kind(name)
        runs = Sweep.objects.filter(name=name).order_by("-id")[:ACTS]
        return self.show(
            request,
            "sweep_limits",
            f"Limits of: {kind.title}",
            status=status,
            kind=kind,
            limits_form=form,
            runs=runs,
            may_change=request.user.has_perm(CHANGE),
        )


def _percent(row: Sweep) -> str:
    return f"{100 * row.found / row.served:.2f}" if row.served else ""
