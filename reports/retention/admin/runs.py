"""What leaves and what went: the kinds of cleanup, their runs, the days of big tables."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from jobs.admin.pages import ConsoleAdmin, deed
from jobs.models import AuditEntry
from lib.errors import NotFound
from reports.retention.days import days_now
from reports.retention.models import RetentionRun, RunState
from reports.retention.policies import policies, policy_get
from reports.retention.selectors import RunFilter, policies_now, run_get, runs_page
from reports.retention.services import OBJECT, days_ask, retention_begin, retention_cancel
from reports.retention.sizes import nights

OPERATE = "retention.operate_retentionrun"
SORTS = (("", "All"), ("real", "Real"), ("dry", "Counts"))


@admin.register(RetentionRun)
class RetentionRunAdmin(ConsoleAdmin):
    folder = "retention"

    def pages(self) -> list[URLPattern]:
        return [
            self.at("prepare/", self.prepare, "prepare"),
            self.at("begin/<str:kind>/<str:sort>/", self.begin, "begin"),
            self.at("<uuid:run_id>/change/", self.run, "change"),
            self.at("<uuid:run_id>/live/", self.live, "live"),
            self.at("<uuid:run_id>/cancel/", self.cancel, "cancel"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The kinds, the runs by filter, the days. Its queries do not grow with the runs."""
        del extra_context
        asked = {name: request.GET.get(name, "") for name in ("kind", "state", "sort")}
        where = RunFilter(
            kind=asked["kind"] if asked["kind"] in {each.kind for each in policies()} else "",
            state=asked["state"] if asked["state"] in RunState.values else "",
            is_dry={"real": False, "dry": True}.get(asked["sort"]),
        )
        after = request.GET.get("after", "")
        page = runs_page(where, after=_uuid(after))
        ours, others = policies_now()
        query = {name: value for name, value in asked.items() if value}
        return self.show(
            request,
            "runs",
            "Retention",
            policies=ours,
            others=others,
            days=list(days_now()),
            nights=nights(),
            runs=page.runs,
            asked=asked,
            sorts=SORTS,
            states=RunState.values,
            is_filtered=bool(query),
            is_first=not after,
            first=f"?{urlencode(query)}",
            following=f"?{urlencode({**query, 'after': str(page.after)})}" if page.after else "",
            share=request.build_absolute_uri(f"{request.path}?{urlencode(query)}".rstrip("?")),
        )

    def run(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        run = _get(run_id)
        return self.show(
            request,
            "run",
            f"{policy_get(run.kind).title}, {'count' if run.is_dry else 'cleanup'}",
            policy=policy_get(run.kind),
            acts=AuditEntry.objects.filter(object_type=OBJECT, object_id=str(run.pk)).order_by(
                "-id"
            )[:20],
            **_live(run),
        )

    def live(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """The upper part, for the page that is open already (htmx); it loads anew when all is done."""
        run = _get(run_id)
        if run.finished_at is not None:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return TemplateResponse(request, "admin/retention/_live.html", _live(run))

    @deed(OPERATE)
    def begin(self, request: HttpRequest, kind: str, sort: str) -> str:
        run = retention_begin(kind=kind, is_dry=sort == "dry", by=request.user)
        address = reverse("admin:retention_retentionrun_change", args=[run.pk])
        words = "is being counted" if run.is_dry else "is being cleaned"
        return format_html('{} {}: <a href="{}">follow it</a>.', _title(kind), words, address)

    @deed(OPERATE)
    def cancel(self, request: HttpRequest, run_id: UUID) -> str:
        if retention_cancel(run_id=run_id, by=request.user) == "cancelled":
            return "The run is cancelled."
        return "The run ends after the piece that it is at. What is gone stays gone."

    @deed(OPERATE)
    def prepare(self, request: HttpRequest) -> str:
        days_ask(by=request.user)
        return "The next days are being made."


def _title(kind: str) -> str:
    return policy_get(kind).title


def _live(run: RetentionRun) -> dict[str, Any]:
    return {"run": run, "is_open": run.finished_at is None}


def _get(run_id: UUID) -> RetentionRun:
    try:
        return run_get(run_id)
    except NotFound as exc:
        raise Http404(exc.message) from None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
