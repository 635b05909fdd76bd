"""Silences in the console: windows in which nobody is told, coming and in force, made and taken back."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, reverse

from jobs.admin.asked import number_of, or_404
from jobs.admin.lists import turning
from jobs.admin.pages import check, deed
from jobs.models import AuditEntry
from lib.errors import DomainError
from monitoring.alerts import selectors
from monitoring.alerts.admin.alerts import ACTS, OPERATE
from monitoring.alerts.admin.forms import SilenceForm, SilencesForm
from monitoring.alerts.admin.pages import AlertConsole
from monitoring.alerts.models import Silence
from monitoring.alerts.silences import SILENCE, silence_create, silence_end, silenced_by

QUICK = (
    ("Not over yet", ""),
    ("In force", "state=now"),
    ("Coming", "state=coming"),
    ("Over", "state=over"),
)


@admin.register(Silence)
class SilenceAdmin(AlertConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("new/", self.new, "new"),
            self.at("<int:silence_id>/change/", self.silence, "change"),
            self.at("<int:silence_id>/end/", self.end, "end"),
            *super().pages(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list. One query."""
        del extra_context
        form = SilencesForm(request.GET)
        page = None
        if form.is_valid():
            page = selectors.silences_page(
                state=form.cleaned_data["state"], after=number_of(request.GET.get("after", ""))
            )
        return self.show(
            request,
            "silences",
            "Silences",
            quick=[
                (label, query, dict(QueryDict(query).items()) == form.given())
                for label, query in QUICK
            ],
            page=page,
            **turning(request, form, page.after if page else None),
        )

    def new(self, request: HttpRequest) -> HttpResponse:
        """Write a silence: now, or as a window of planned maintenance."""
        check(request, OPERATE)
        if request.method == "POST":
            form = SilenceForm(request.POST)
            if form.is_valid() and (made := _made(form, request)):
                messages.success(request, f"Nobody is told of {made} until it ends.")
                return HttpResponseRedirect(reverse("admin:alerts_silence_changelist"))
        else:
            form = SilenceForm(initial={"rule": request.GET.get("rule", "")[:60], "key": "*"})
        status = 200 if not form.errors else 422
        return self.show(
            request,
            "silence_new",
            "Write a silence",
            status,
            form=form,
            rules=selectors.rules_known(),
        )

    def silence(self, request: HttpRequest, silence_id: int) -> HttpResponse:
        """One: what it fits, and the open alerts that it keeps quiet."""
        row = or_404(selectors.silence_get, silence_id)
        return self.show(
            request,
            "silence",
            f"Silence of {row}",
            silence=row,
            alerts=silenced_by(row),
            acts=AuditEntry.objects.filter(object_type=SILENCE, object_id=str(row.pk)).order_by(
                "-id"
            )[:ACTS],
        )

    @deed(OPERATE)
    def end(self, request: HttpRequest, silence_id: int) -> str:
        row = silence_end(silence_id=silence_id, by=request.user)
        return f"The silence of {row} is over. What is open still is told now."


def _made(form: SilenceForm, request: HttpRequest) -> Silence | None:
    """The silence of a valid form; None with the reason in the form, if it is refused."""
    given = form.cleaned_data
    try:
        return silence_create(
            rule=given["rule"].strip(),
            key=given["key"].strip(),
            starts_at=given["starts_at"],
            ends_at=given["ends_at"],
            reason=given["reason"],
            by=request.user,
        )
    except DomainError as exc:
        form.add_error(None, f"{exc.message}.")
        return None
