"""Imported lists in the console: their list, importing a CSV file, what was rejected and why."""

import csv
import io
from datetime import timedelta
from typing import Any, BinaryIO, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode
from django.utils.text import slugify

from jobs.admin.asked import uuid_of
from jobs.admin.pages import check, deed
from lib import clock
from lib.errors import DomainError
from notifications.broadcasts.admin.forms import number_of
from notifications.broadcasts.admin.pages import BroadcastConsole, sentence
from notifications.broadcasts.audiences.imports import (
    REJECTS_KEPT,
    audience_delete,
    audience_import,
)
from notifications.broadcasts.audiences.uploads import AT_ONCE_BYTES, upload_keep
from notifications.broadcasts.models import Audience, Broadcast, Upload
from notifications.inbox.models import Recipient

ADD_LIST = "broadcasts.add_audience"
DELETE_LIST = "broadcasts.delete_audience"
PAGE = 50
PEOPLE_SHOWN = 20
REJECTS_SHOWN = 100
UPLOADS_SHOWN = 5
FIELDS = (
    ("user_id", "User id"),
    ("login", "Login"),
    ("telegram_id", "Telegram id"),
)
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class UploadForm(forms.Form):
    """A file, and which of its columns is what. Columns that are empty are found by their usual names."""

    file = forms.FileField(
        label="CSV file",
        allow_empty_file=False,
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,text/csv"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    name = forms.CharField(
        label="Name of the list",
        max_length=200,
        required=False,
        widget=forms.TextInput({"placeholder": "as the file", "autocomplete": "off"}),
    )
    user_id = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    login = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    telegram_id = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def mapping(self) -> dict[str, str] | None:
        """Our field -> the column of the file; None: by usual names."""
        found = {name: self.cleaned_data[name].strip() for name, _ in FIELDS}
        return {name: column for name, column in found.items() if column} or None


@admin.register(Audience)
class AudienceAdmin(BroadcastConsole):
    def pages(self) -> list[URLPattern]:
        one = "<uuid:audience_id>/"
        return [
            self.at("upload/", self.upload, "upload"),
            self.at(f"{one}change/", self.audience, "change"),
            self.at(f"{one}rejects/", self.rejects, "rejects"),
            self.at(f"{one}delete/", self.forget, "delete"),
            *super().pages(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        wanted = request.GET.get("q", "").strip()[:200]
        found = Audience.objects.order_by("-id").defer("rejects")
        if wanted:
            found = found.filter(name__icontains=wanted.replace("\x00", ""))
        if after := uuid_of(request.GET.get("after", "")):
            found = found.filter(pk__lt=after)
        rows = list(found[: PAGE + 1])
        number = number_of(request.GET.get("page", "")) or 1
        following = ""
        if len(rows) > PAGE:
            here = {"q": wanted, "after": str(rows[PAGE - 1].pk), "page": str(number + 1)}
            following = f"?{urlencode({name: value for name, value in here.items() if value})}"
        return self.show(
            request,
            "audiences",
            "Imported lists",
            rows=rows[:PAGE],
            uploads=_uploads_shown() if number == 1 and not wanted else [],
            wanted=wanted,
            number=number,
            following=following,
            share=request.build_absolute_uri(),
        )

    def upload(self, request: HttpRequest) -> HttpResponse:
        """GET: the form. POST: import it, all or nothing; a large one by a job, which has a page."""
        check(request, ADD_LIST)
        if request.method != "POST":
            return self._upload_form(request, UploadForm())
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._upload_form(request, form)
        file = form.cleaned_data["file"]
        given: dict[str, Any] = {
            "source": file.name, "mapping": form.mapping(), "by": request.user,
        }  # fmt: skip
        name, content = form.cleaned_data["name"] or file.name, cast(BinaryIO, file.file)
        try:
            if file.size > AT_ONCE_BYTES:
                kept = upload_keep(name, content, size=file.size, **given)
                return HttpResponseRedirect(reverse("progress", args=[kept.pk]))
            result = audience_import(name, content, **given)
        except DomainError as exc:
            form.add_error("file", sentence(exc.message.removeprefix("file: ")))
            return self._upload_form(request, form)
        words = f"{result.members:,} people are in the list"
        if result.rejected:
            messages.warning(
                request, f"{words}; {result.rejected:,} lines were rejected, and why is below."
            )
        else:
            messages.success(request, f"{words}. Nothing was rejected.")
        return HttpResponseRedirect(_address(result.audience_id))

    def audience(self, request: HttpRequest, audience_id: UUID) -> HttpResponse:
        """One list: its counts, its people, what was rejected, which broadcasts go to it."""
        row = _audience_or_404(audience_id)
        people = Recipient.objects.raw(
            """SELECT r.id, r.user_id, r.login, r.telegram_id FROM broadcast_audience_member m
            JOIN inbox_recipient r ON r.id = m.recipient_id
            WHERE m.audience_id = %s ORDER BY m.recipient_id LIMIT %s""",
            [row.pk, PEOPLE_SHOWN],
        )
        used = Broadcast.objects.filter(audience__type="csv", audience__audience_id=str(row.pk))
        return self.show(
            request,
            "audience",
            row.name,
            row=row,
            people=list(people),
            rejects=row.rejects[:REJECTS_SHOWN],
            rejects_shown=REJECTS_SHOWN,
            rejects_kept=REJECTS_KEPT,
            used=list(used.order_by("-id")[:20]),
        )

    def rejects(self, request: HttpRequest, audience_id: UUID) -> HttpResponse:
        """The rejected lines that were kept, as a CSV file that a spreadsheet opens."""
        del request
        row = _audience_or_404(audience_id)
        name = slugify(row.name)[:60] or "list"
        return HttpResponse(
            _report(row.rejects),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}-rejected.csv"'},
        )

    @deed(DELETE_LIST)
    def forget(self, request: HttpRequest, audience_id: UUID) -> HttpResponse:
        row = _audience_or_404(audience_id)
        audience_delete(audience_id=audience_id, by=request.user)
        messages.success(request, f"The list “{row.name}” is forgotten.")
        return HttpResponseRedirect(self.home())

    def _upload_form(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        return self.show(
            request,
            "upload",
            "Import a list",
            status=422 if form.errors else 200,
            form=form,
            fields=FIELDS,
            most_bytes=settings.BROADCASTS_CSV_MAX_BYTES,
        )


def _uploads_shown() -> list[Upload]:
    """Imports of large files that are no list yet, or never will be: those of the last day."""
    since = clock.now() - timedelta(days=1)
    rows = Upload.objects.exclude(state=Upload.State.DONE).filter(created_at__gte=since)
    return list(rows.order_by("-id")[:UPLOADS_SHOWN])


def _report(rejects: list[dict[str, Any]]) -> str:
    """The text of a CSV file. They are a thousand at most."""
    out = io.StringIO()
    out.write("\ufeff")  # without it spreadsheets take UTF-8 for something else
    writer = csv.writer(out)
    writer.writerow(["line", "why", "text"])
    for each in rejects:
        text = str(each["text"])
        writer.writerow(
            [each["line"], each["reason"], f"'{text}" if text.startswith(_FORMULA) else text]
        )
    return out.getvalue()


def _audience_or_404(audience_id: UUID) -> Audience:
    row = Audience.objects.filter(pk=audience_id).first()
    if row is None:
        raise Http404(f"there is no list {audience_id}")
    return row


def _address(audience_id: UUID) -> str:
    return reverse("admin:broadcasts_audience_change", args=[audience_id])
