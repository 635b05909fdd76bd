"""The lists of jobs: all by filter, and the dead letters in groups."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.forms import JobFilterForm
from jobs.admin.lists import quick_links, turning
from jobs.admin.pages import ConsoleAdmin
from jobs.models import JobRecord, State
from jobs.selectors.dead import GROUPS, LOOKED_AT, dead_count, dead_groups
from jobs.selectors.listing import JobsPage, jobs_page, key_exists

# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Running now", "state=running"),
    ("Due now", "state=available"),
    ("Failing now", "state=retrying"),
    ("Dead today", "state=dead&created_from=today"),
    ("Finished", "state=completed"),
    ("Cancelled", "state=cancelled"),
)


class JobLists(ConsoleAdmin):
    def pages(self) -> list[URLPattern]:
        return [self.at("dead/", self.dead, "dead"), *super().pages()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = JobFilterForm(request.GET)
        page = _page(request, form)
        return self.show(
            request,
            "jobs",
            "Jobs",
            quick=quick_links(form, QUICK),
            page=page,
            **turning(request, form, page.after if page else None),
        )

    def dead(self, request: HttpRequest) -> HttpResponse:
        """Dead jobs that wait for a person: in groups, and one by one."""
        data = request.GET.copy()
        data["state"] = State.DEAD
        form = JobFilterForm(data)
        page = _page(request, form)
        return self.show(
            request,
            "dead",
            "Dead letters",
            groups=dead_groups(),
            count=dead_count(),
            most_groups=GROUPS,
            looked_at=LOOKED_AT,
            is_filtered=set(form.given()) != {"state"},
            page=page,
            **turning(request, form, page.after if page else None),
        )


def _page(request: HttpRequest, form: JobFilterForm) -> JobsPage | None:
    """The page that the address asks for; None if the filter is wrong."""
    if not form.is_valid():
        return None
    return jobs_page(form.where(), after=_uuid(request.GET.get("after", "")))


def _found(wanted: str) -> str:
    """The address of what a person searched: a job id, a key, or else a correlation id."""
    home = reverse("admin:jobs_jobrecord_changelist")
    job_id = _uuid(wanted)
    if job_id is not None:
        if JobRecord.objects.filter(pk=job_id).exists():
            return reverse("admin:jobs_jobrecord_change", args=[job_id])
        return (
            f"{home}?{urlencode({'correlation_id': wanted if '-' not in wanted else job_id.hex})}"
        )
    name = "key" if key_exists(wanted) else "correlation_id"
    return f"{home}?{urlencode({name: wanted})}"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
