"""A CSV file as the people of a bulk operation, or as subscribers to import."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.pages import check
from lib.errors import DomainError
from subscriptions.admin.bulk_begin import DEEDS, OPERATE, progress_of
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.admin.uploads import (
    file_is_kept,
    file_keep,
    file_take,
    upload_keep,
    upload_names,
)
from subscriptions.bulk.files import names_read
from subscriptions.bulk.importing import import_start
from subscriptions.bulk.lines import Entry, Reject, entries_read
from subscriptions.models import Plan

FILE_MOST = 20 * 1024 * 1024
SHOWN = 20
IMPORT = "import"
NOT_KEPT = (
    "Redis does not answer just now, so the file cannot be kept until you have looked at it. "
    "Try again in a moment, or send it to /api/v1/bulk-operations/upload."
)


class UploadForm(forms.Form):
    """A file and what is to be done with whom it names."""

    action = forms.ChoiceField(
        label="What to do",
        choices=[*((name, deed.verb) for name, deed in DEEDS.items()), (IMPORT, "Import")],
    )
    file = forms.FileField(label="CSV file", allow_empty_file=False)

    def clean_file(self) -> Any:
        """A file that is not too large to be read at once."""
        file: Any = self.cleaned_data["file"]
        if (file.size or 0) > FILE_MOST:
            raise forms.ValidationError("A file has 20 MB at most: split it.")
        return file


class BulkUploadPages(SubscriptionConsole):
    def upload_pages(self) -> list[URLPattern]:
        return [
            self.at("upload/", self.upload, "upload"),
            self.at("upload/import/", self.import_begin, "import"),
        ]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """GET: the form. POST: the names are read, and the page that looks before it acts follows."""
        check(request, OPERATE)
        form = UploadForm(initial={"action": request.GET.get("action", "extend")})
        if request.method != "POST":
            return self._upload_page(request, form)
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._upload_page(request, form, status=422)
        action, file = form.cleaned_data["action"], form.cleaned_data["file"]
        try:
            if action == IMPORT:
                return self._import_look(request, form, file)
            names = names_read(file)
        except DomainError as exc:
            form.add_error("file", f"{exc.message}.")
            return self._upload_page(request, form, status=422)
        count = len(next(iter(names.values())))
        title = f"The {count:,} lines of {file.name}."
        key = upload_keep(names, title, request.user.pk)
        if upload_names(key, request.user.pk) is None:
            form.add_error("file", NOT_KEPT)
            return self._upload_page(request, form, status=503)
        given = urlencode({"action": action, "upload": key})
        return HttpResponseRedirect(f"{reverse('admin:subscriptions_subscriber_act')}?{given}")

    def _import_look(self, request: HttpRequest, form: UploadForm, file: Any) -> HttpResponse:
        """What an import would do, before anything is done."""
        body = file.read()
        look = _look(body)
        if not look.accepted:
            form.add_error("file", "No line can be used.")
            return self._upload_page(request, form, status=422, look=look)
        key = file_keep(body, file.name, request.user.pk)
        if not file_is_kept(key):
            form.add_error("file", NOT_KEPT)
            return self._upload_page(request, form, status=503, look=look)
        return self.show(
            request,
            "bulk_import",
            "Import: look before you act",
            look=look,
            file=file.name,
            key=key,
        )

    def import_begin(self, request: HttpRequest) -> HttpResponse:
        """POST: what was looked at is imported."""
        check(request, OPERATE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        kept = file_take(request.POST.get("upload", ""), request.user.pk)
        if kept is None:
            messages.error(request, "The file is not kept any more: upload it again.")
            return HttpResponseRedirect(f"{_upload_address()}?action={IMPORT}")
        body, name = kept
        try:
            begun = import_start(BytesIO(body), source="csv", name=name, by=request.user)
        except DomainError as exc:
            messages.error(request, f"{exc.message}. Nothing was begun.")
            return HttpResponseRedirect(f"{_upload_address()}?action={IMPORT}")
        if begun.operation is None:
            messages.error(request, "No line can be used any more. Nothing was begun.")
            return HttpResponseRedirect(f"{_upload_address()}?action={IMPORT}")
        return HttpResponseRedirect(progress_of(begun.operation))

    def _upload_page(
        self, request: HttpRequest, form: UploadForm, status: int = 200, **context: Any
    ) -> HttpResponse:
        return self.show(
            request,
            "bulk_upload",
            "Act on the people of a file",
            status=status,
            upload=form,
            deeds=DEEDS,
            **context,
        )


@dataclass(slots=True)
class ImportLook:
    """What is in a file: usable lines with the first of them, and the first of the others."""

    accepted: int = 0
    rejected: int = 0
    sample: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def _look(body: bytes) -> ImportLook:
    """Raises FileInvalid."""
    look = ImportLook()
    plans = dict(Plan.objects.values_list("code", "period_days"))
    for line in entries_read(BytesIO(body), plans):
        if isinstance(line, Reject):
            look.rejected += 1
            if len(look.rejects) < SHOWN:
                look.rejects.append(line)
        else:
            look.accepted += 1
            if len(look.sample) < SHOWN:
                look.sample.append(line)
    return look


def _upload_address() -> str:
    return reverse("admin:subscriptions_subscriber_upload")
