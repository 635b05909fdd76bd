"""Taking back what was sent, or putting its text right."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.many import once_make, once_take
from jobs.admin.pages import check
from lib.errors import DomainError
from notifications.broadcasts.admin.pages import (
    OPERATE,
    SEND,
    BroadcastConsole,
    broadcast_or_404,
    sentence,
)
from notifications.broadcasts.models import Broadcast
from notifications.broadcasts.recalling import RECALLABLE, TEXTS
from notifications.broadcasts.selectors import progress_of
from notifications.broadcasts.services import broadcast_recall

_ONCE = "broadcasts_recall_once"


class RecallForm(forms.Form):
    """Delete it where it was delivered, or give it another text there."""

    mode = forms.ChoiceField(
        choices=[("delete", "Take it back"), ("edit", "Correct its text")],
        initial="delete",
        widget=forms.RadioSelect,
    )
    title = forms.CharField(label="Title", max_length=200, required=False)
    title_ru = forms.CharField(label="Title in Russian", max_length=200, required=False)
    body = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        max_length=20_000,
        widget=forms.Textarea({"rows": 6}),
    )
    body_ru = forms.CharField(
        label="Text in Russian",
        required=False,
        strip=False,
        max_length=20_000,
        widget=forms.Textarea({"rows": 6, "lang": "ru"}),
    )

    def texts(self) -> dict[str, str]:
        """The texts that they are to read, with line ends as everywhere; nothing for a deletion."""
        given = self.cleaned_data
        if given["mode"] == "delete":
            return {}
        return {name: given[name].replace("\r\n", "\n").replace("\x00", "") for name in TEXTS}


class RecallPages(BroadcastConsole):
    def pages(self) -> list[URLPattern]:
        return [*super().pages(), self.at("<uuid:broadcast_id>/recall/", self.recall, "recall")]

    def recall(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        """GET: what would happen. POST: it happens, once per page that was looked at."""
        check(request, OPERATE)
        row = broadcast_or_404(broadcast_id)
        if request.method != "POST":
            return self._recall_look(request, row, RecallForm(initial=_beginning(row)))
        form = RecallForm(request.POST)
        if request.POST.get("mode") == "edit":
            check(request, SEND)  # another text is one more message to them
        if not form.is_valid():
            return self._recall_look(request, row, form)
        if not once_take(request, _ONCE):
            messages.warning(
                request,
                "Nothing was done: that page was used before, or is out of date. Look again.",
            )
            return self._recall_look(request, row, form)
        try:
            broadcast_recall(
                broadcast_id=row.pk,
                by=request.user,
                mode=form.cleaned_data["mode"],
                **form.texts(),
            )
        except DomainError as exc:
            form.add_error(None, sentence(exc.message))
            return self._recall_look(request, row, form)
        messages.success(request, "It is being done, message by message. This page tells how far.")
        return HttpResponseRedirect(reverse("admin:broadcasts_broadcast_change", args=[row.pk]))

    def _recall_look(self, request: HttpRequest, row: Broadcast, form: RecallForm) -> HttpResponse:
        return self.show(
            request,
            "recall",
            f"Recall “{row.title}”",
            status=422 if form.errors else 200,
            row=row,
            form=form,
            channels=progress_of(row.pk).channels,
            possible=row.status in RECALLABLE and row.sent > 0,
            once=once_make(request, _ONCE),
        )


def _beginning(row: Broadcast) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TEXTS}
