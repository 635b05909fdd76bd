"""Schedules: when they run next, how the last time went; run now, pause, resume, change the time."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html

from jobs.admin.forms import ScheduleForm
from jobs.admin.pages import ConsoleAdmin, check, deed
from jobs.console import schedule_pause, schedule_resume, schedule_retime, schedule_run_now
from jobs.models import ScheduleEntry
from jobs.selectors.schedules import (
    schedule_fires,
    schedule_view,
    schedules_list,
    schedules_unfired,
)
from lib.errors import DomainError


@admin.register(ScheduleEntry)
class ScheduleAdmin(ConsoleAdmin):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("<int:entry_id>/change/", self.schedule, "change"),
            self.at("<int:entry_id>/run/", self.run_now, "run"),
            self.at("<int:entry_id>/pause/", self.pause, "pause"),
            self.at("<int:entry_id>/resume/", self.resume, "resume"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        return self.show(
            request,
            "schedules",
            "Schedules",
            schedules=schedules_list(),
            unfired=schedules_unfired(),
        )

    def schedule(self, request: HttpRequest, entry_id: int) -> HttpResponse:
        """One schedule with its latest slots, and the form to change its time."""
        entry = _get(entry_id)
        form = ScheduleForm(request.POST or None, initial=_initial(entry))
        if request.method == "POST":
            check(request, "jobs.operate_schedule")
            if form.is_valid() and _retime(request, entry, form):
                address = reverse("admin:jobs_scheduleentry_change", args=[entry_id])
                return HttpResponseRedirect(address)
        return self.show(
            request,
            "schedule",
            f"Schedule {entry.name}",
            status=422 if form.errors else 200,
            schedule=schedule_view(_get(entry_id)),
            fires=schedule_fires(entry),
            form=form,
        )

    @deed("jobs.operate_schedule")
    def run_now(self, request: HttpRequest, entry_id: int) -> str:
        entry = _get(entry_id)
        job_id = schedule_run_now(name=entry.name, by=request.user)
        address = reverse("admin:jobs_jobrecord_change", args=[job_id])
        return format_html('{} was told to run: <a href="{}">see its job</a>.', entry.name, address)

    @deed("jobs.operate_schedule")
    def pause(self, request: HttpRequest, entry_id: int) -> str:
        entry = _get(entry_id)
        schedule_pause(name=entry.name, by=request.user)
        return f"{entry.name} is paused: no slot fires until somebody resumes it."

    @deed("jobs.operate_schedule")
    def resume(self, request: HttpRequest, entry_id: int) -> str:
        entry = _get(entry_id)
        schedule_resume(name=entry.name, by=request.user)
        return f"{entry.name} fires again, from its next slot on."


def _get(entry_id: int) -> ScheduleEntry:
    entry = ScheduleEntry.objects.select_related("schedule").filter(pk=entry_id).first()
    if entry is None:
        raise Http404(f"there is no schedule {entry_id}")
    return entry


def _initial(entry: ScheduleEntry) -> dict[str, str]:
    return {
        "every": _compact(entry.every_s) if entry.every_s else "",
        "cron": entry.cron,
        "timezone": entry.timezone,
    }


def _compact(seconds: float) -> str:
    """A span as people write it: 5m rather than 300s."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _retime(request: HttpRequest, entry: ScheduleEntry, form: ScheduleForm) -> bool:
    given = form.cleaned_data
    try:
        schedule_retime(
            name=entry.name,
            every_s=given["every"],
            cron=given["cron"],
            timezone=given["timezone"],
            by=request.user,
        )
    except DomainError as exc:
        form.add_error(None, f"{exc.message}.")
        return False
    messages.success(request, f"{entry.name} runs at other times now; deploys leave that alone.")
    return True
