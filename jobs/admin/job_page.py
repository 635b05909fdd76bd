"""The page of one job: why it is where it is, its tries, its relatives, and what can be done."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse

from jobs import errors
from jobs.admin.forms import ArgsForm
from jobs.admin.pages import ConsoleAdmin, check, deed
from jobs.models import OPEN, WAITING, JobRecord, Priority, State
from jobs.operations import (
    job_cancel,
    job_discard,
    job_explain,
    job_replay,
    job_reprioritize,
    job_run_now,
)
from jobs.registry import JobKind, kind_find
from jobs.selectors.story import job_acts, job_obstacles, job_relatives, job_tries
from jobs.templatetags.console import condition, pretty
from lib.errors import DomainError


class JobPages(ConsoleAdmin):
    def pages(self) -> list[URLPattern]:
        one = "<uuid:job_id>/"
        return [
            *super().pages(),
            self.at(f"{one}change/", self.job, "change"),
            self.at(f"{one}live/", self.job_live, "live"),
            self.at(f"{one}edit/", self.edit, "edit"),
            self.at(f"{one}run/", self.run_now, "run"),
            self.at(f"{one}cancel/", self.cancel, "cancel"),
            self.at(f"{one}replay/", self.replay, "replay"),
            self.at(f"{one}discard/", self.discard, "discard"),
            self.at(f"{one}priority/", self.reprioritize, "priority"),
        ]

    def job(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """The page. Its queries are few and do not depend on how many jobs there are."""
        job = _get(job_id)
        tries = job_tries(job)
        kind = kind_find(job.kind)
        return self.show(
            request,
            "job",
            f"Job {job.kind}",
            job=job,
            kind=_shown(kind),
            timeout_s=_timeout_s(job, kind),
            tries=tries,
            relatives=job_relatives(job, tries),
            acts=job_acts(job),
            can=_possible(job, kind),
            priorities=Priority.choices,
            **_live(job),
        )

    def job_live(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """The upper part of the page, for the page that is open already (htmx).

        If the job has moved on since (`seen` differs), the page is told to load again.
        """
        job = _get(job_id)
        live = _live(job)
        if request.GET.get("seen") != live["seen"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return TemplateResponse(request, "admin/jobs/_job_live.html", {"job": job, **live})

    def edit(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """The form for a replay with other args."""
        check(request, "jobs.operate_job")
        job = _get(job_id)
        kind = kind_find(job.kind)
        if kind is None or not _possible(job, kind)["replay"]:
            why = f"{job.kind} is not declared any more" if kind is None else f"it is {job.state}"
            messages.error(request, f"This job cannot be replayed: {why}.")
            return HttpResponseRedirect(_address(job_id))
        form = ArgsForm(request.POST or None, kind=kind, initial={"args": pretty(job.args)})
        if request.method == "POST" and form.is_valid():
            try:
                made = job_replay(job_id=job_id, by=request.user, args=form.cleaned_data["args"])
            except DomainError as exc:
                form.add_error("args", f"{exc.message}.")
            else:
                messages.success(
                    request, f"Replayed with your args: this is the new job of {job.kind}."
                )
                return HttpResponseRedirect(_address(made))
        status = 422 if form.errors else 200
        return self.show(
            request,
            "edit",
            f"Replay {job.kind}",
            status=status,
            job=job,
            kind=_shown(kind),
            form=form,
            params=_params(kind),
        )

    @deed("jobs.operate_job")
    def run_now(self, request: HttpRequest, job_id: UUID) -> str:
        job_run_now(job_id=job_id, by=request.user)
        return "The job is due now."

    @deed("jobs.operate_job")
    def cancel(self, request: HttpRequest, job_id: UUID) -> str:
        reason = request.POST.get("reason", "").strip()
        if job_cancel(job_id=job_id, by=request.user, reason=reason) == "cancelled":
            return "The job is cancelled; it never runs."
        return "The worker is told to stop the job; that takes a moment."

    @deed("jobs.operate_job")
    def replay(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        made = job_replay(job_id=job_id, by=request.user)
        messages.success(request, "Replayed with the same args: this is the new job.")
        return HttpResponseRedirect(_address(made))

    @deed("jobs.operate_job")
    def discard(self, request: HttpRequest, job_id: UUID) -> str:
        job_discard(job_id=job_id, by=request.user, reason=request.POST.get("reason", "").strip())
        return "The job is put away; it stays in the history."

    @deed("jobs.operate_job")
    def reprioritize(self, request: HttpRequest, job_id: UUID) -> str:
        given = request.POST.get("priority", "")
        priority = int(given) if given in {"0", "1", "2", "3"} else -1
        job_reprioritize(job_id=job_id, priority=priority, by=request.user)
        return f"The priority is {Priority(priority).label} now."


def _get(job_id: UUID) -> JobRecord:
    job = JobRecord.objects.select_related("batch").filter(pk=job_id).first()
    if job is None:
        raise Http404(errors.JobNotFound(f"there is no job {job_id}").message)
    return job


def _address(job_id: UUID) -> str:
    return reverse("admin:jobs_jobrecord_change", args=[job_id])


def _live(job: JobRecord) -> dict[str, Any]:
    state = condition(job)
    return {
        "condition": state,
        "explanation": job_explain(job),
        "obstacles": job_obstacles(job),
        "seen": f"{state}.{job.attempt}.{job.fence}",
        "is_open": job.finished_at is None and job.state in OPEN,
    }


def _possible(job: JobRecord, kind: JobKind[Any] | None) -> dict[str, bool]:
    """Which buttons make sense; the services decide."""
    is_dead = job.state == State.DEAD and job.finished_at is None
    waits = job.state in WAITING
    return {
        "replay": kind is not None and (is_dead or job.finished_at is not None),
        "run": waits or (is_dead and kind is not None),
        "cancel": job.state in OPEN,
        "discard": is_dead,
        "priority": waits,
    }


def _shown(kind: JobKind[Any] | None) -> dict[str, Any]:
    """A kind for a template. Never the kind itself: a template calls what can be called."""
    if kind is None:
        return {}
    return {"summary": kind.summary, "breaker": kind.breaker, "steps": kind.retry.steps}


def _timeout_s(job: JobRecord, kind: JobKind[Any] | None) -> float | None:
    if job.timeout_s is not None:
        return job.timeout_s
    return kind.timeout.total_seconds() if kind else None


def _params(kind: JobKind[Any]) -> list[dict[str, str]]:
    """What the kind takes, as its signature says: name, type, default."""
    found = []
    for name, parameter in kind.signature.parameters.items():
        hint = kind.hints.get(name)
        words = "" if hint is None else getattr(hint, "__name__", str(hint))
        if hint is not None and not isinstance(hint, type):
            words = str(hint).replace("typing.", "")
        has_default = parameter.default is not parameter.empty
        found.append(
            {
                "name": name,
                "type": words,
                "default": repr(parameter.default) if has_default else "",
                "required": "" if has_default else "required",
            }
        )
    return found
