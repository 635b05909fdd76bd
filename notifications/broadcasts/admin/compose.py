"""Writing a broadcast: it becomes a draft, whose page then says who would get it, and sends it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.asked import uuid_of
from jobs.admin.pages import check
from lib.errors import DomainError
from notifications.broadcasts.admin.compose_form import (
    AudienceForm,
    ComposeForm,
    TextsForm,
    beginning_of,
    draft_from,
    fields_known,
)
from notifications.broadcasts.admin.forms import number_of
from notifications.broadcasts.admin.pages import (
    ADD,
    CHANGE,
    SEND,
    BroadcastConsole,
    broadcast_or_404,
    sentence,
)
from notifications.broadcasts.admin.preview import is_blank, looks_of
from notifications.broadcasts.admin.sample import audience_sample
from notifications.broadcasts.audiences.registry import audience_describe
from notifications.broadcasts.drafting import EDITABLE
from notifications.broadcasts.errors import BroadcastInvalid, CountSlow
from notifications.broadcasts.models import Broadcast, Status
from notifications.broadcasts.selectors import actions_of
from notifications.broadcasts.services import broadcast_create, broadcast_edit


class ComposePages(BroadcastConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("compose/", self.compose, "compose"),
            self.at("compose/preview/", self.compose_preview, "compose_preview"),
            self.at("compose/audience/", self.compose_audience, "compose_audience"),
            *super().pages(),
            self.at("<uuid:broadcast_id>/edit/", self.edit, "edit"),
        ]

    def compose(self, request: HttpRequest) -> HttpResponse:
        """GET: the form, `?list=<id>` with a list chosen. POST: a draft, and on to its page."""
        check(request, ADD)
        if request.method != "POST":
            return self._form(request, ComposeForm(initial=_beginning(request)))
        form = ComposeForm(request.POST)
        if not form.is_valid():
            return self._form(request, form)
        try:
            row = broadcast_create(**form.fields_of(), by=request.user)
        except BroadcastInvalid as exc:
            form.refuse(exc.field, exc.message)
            return self._form(request, form)
        messages.success(request, "It is a draft. Nothing is sent before you say so.")
        return HttpResponseRedirect(reverse("admin:broadcasts_broadcast_change", args=[row.pk]))

    def edit(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        """The same for a draft that is there, or one that is scheduled; the texts of one that is paused."""
        check(request, CHANGE)
        row = broadcast_or_404(broadcast_id)
        if row.status != Status.DRAFT:
            check(request, SEND)  # it goes out without another word
        page = HttpResponseRedirect(reverse("admin:broadcasts_broadcast_change", args=[row.pk]))
        if "edit" not in actions_of(row):
            messages.error(request, f"It is {row.status}: only a draft can be edited. Clone it.")
            return page
        form_of = ComposeForm if row.status in EDITABLE else TextsForm
        if request.method != "POST":
            return self._form(request, form_of(initial=beginning_of(row)), row)
        form = form_of(request.POST)
        if not form.is_valid():
            return self._form(request, form, row)
        version = request.POST.get("version", "")
        try:
            broadcast_edit(
                broadcast_id=row.pk,
                by=request.user,
                version=(number_of(version) or 0),
                **form.fields_of(),
            )
        except BroadcastInvalid as exc:
            form.refuse(exc.field, exc.message)
            return self._form(request, form, row)
        except DomainError as exc:
            form.add_error(None, sentence(exc.message))
            return self._form(request, form, row)
        messages.success(request, "Saved.")
        return page

    def compose_preview(self, request: HttpRequest) -> HttpResponse:
        """How the texts would look, for the form that is being filled in (htmx). Nothing is kept."""
        _may_write(request)
        row = draft_from(request.POST)
        return self.part(request, "_looks", looks=looks_of(row), row=row, is_blank=is_blank(row))

    def compose_audience(self, request: HttpRequest) -> HttpResponse:
        """How many people are meant, and some of them, for the form that is being filled in (htmx)."""
        _may_write(request)
        form = AudienceForm(request.POST)
        if not form.is_valid():
            error = next(iter(form.errors.values()))[0]
            return self.part(request, "_audience", error=error)
        try:
            sample = audience_sample(form.audience)
        except CountSlow as exc:
            return self.part(request, "_audience", error=exc.message)
        words = audience_describe(form.audience)
        return self.part(request, "_audience", sample=sample, words=words)

    def _form(
        self, request: HttpRequest, form: ComposeForm, row: Broadcast | None = None
    ) -> HttpResponse:
        begun: Any = form.data if form.is_bound else {**form.initial, "channels": _chosen(form)}
        return self.show(
            request,
            "compose",
            f"Edit “{row.title}”" if row else "Write a broadcast",
            status=422 if form.errors else 200,
            form=form,
            row=row,
            version=request.POST.get("version", row.version) if row else "",
            looks=looks_of(draft := draft_from(begun)),
            is_blank=is_blank(draft),
            fields_known=fields_known(),
        )


def _chosen(form: ComposeForm) -> list[str]:
    found: list[str] = form.initial.get("channels") or form.fields["channels"].initial
    return found


def _beginning(request: HttpRequest) -> dict[str, Any]:
    """A list that was just imported is chosen already."""
    wanted = uuid_of(request.GET.get("list", ""))
    return {"audience_type": "csv", "audience_id": str(wanted)} if wanted else {}


def _may_write(request: HttpRequest) -> None:
    if not (request.user.has_perm(ADD) or request.user.has_perm(CHANGE)):
        raise PermissionDenied
