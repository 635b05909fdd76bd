"""The page of one broadcast: before it is sent who would get it, then how far it is, then who did not."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.pages import deed
from jobs.models import AuditEntry
from jobs.progress.pages import live_context
from jobs.progress.registry import operation_find
from lib.errors import DomainError
from notifications.broadcasts.admin.forms import MISSED
from notifications.broadcasts.admin.pages import (
    ADD,
    OPERATE,
    SEND,
    BroadcastConsole,
    broadcast_or_404,
    resendable,
    sentence,
    telegram_off,
)
from notifications.broadcasts.admin.preview import looks_of
from notifications.broadcasts.admin.testing_form import TestForm
from notifications.broadcasts.drafting import EDITABLE, OBJECT
from notifications.broadcasts.models import Broadcast
from notifications.broadcasts.selectors import (
    actions_of,
    broadcast_audience_text,
    ledger_page,
    reasons_of,
)
from notifications.broadcasts.services import (
    broadcast_cancel,
    broadcast_clone,
    broadcast_dry_run,
    broadcast_pause,
    broadcast_resume,
    broadcast_schedule,
    broadcast_test_send,
)

NOT_ARRIVED = ("failed", "unknown")  # who was skipped was not to be told
MISSING_SHOWN = 20
ACTS_SHOWN = 30


class BroadcastPages(BroadcastConsole):
    def pages(self) -> list[URLPattern]:
        one = "<uuid:broadcast_id>/"
        return [
            *super().pages(),
            self.at(f"{one}change/", self.broadcast, "change"),
            self.at(f"{one}rest/", self.rest, "rest"),
            self.at(f"{one}reach/", self.reach, "reach"),
            self.at(f"{one}test/", self.test, "test"),
            self.at(f"{one}pause/", self.pause, "pause"),
            self.at(f"{one}resume/", self.resume, "resume"),
            self.at(f"{one}cancel/", self.cancel, "cancel"),
            self.at(f"{one}unschedule/", self.unschedule, "unschedule"),
            self.at(f"{one}clone/", self.clone, "clone"),
        ]

    def broadcast(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        """The page. Its queries are few and do not depend on how many recipients there are."""
        return self._page(request, broadcast_or_404(broadcast_id))

    def rest(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        """Who did not get it, for the page that is open already (htmx)."""
        row = broadcast_or_404(broadcast_id)
        return self.part(request, "_missing", row=row, **_missing(row))

    def reach(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        """Who would get it now: the dry run, counted when the page is open (htmx)."""
        row = broadcast_or_404(broadcast_id)
        try:
            return self.part(request, "_reach", row=row, **reach_context(row))
        except DomainError as exc:
            return self.part(request, "_reach", row=row, error=sentence(exc.message))

    def test(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        """Send it to oneself. Nothing else is touched."""
        row = broadcast_or_404(broadcast_id)
        return self._test(request, row=row)

    @deed(SEND)
    def _test(self, request: HttpRequest, *, row: Broadcast) -> str | HttpResponse:
        form = TestForm(request.POST)
        if not form.is_valid():
            return self._page(request, row, test=form, status=422)
        try:
            sent = broadcast_test_send(broadcast_id=row.pk, by=request.user, **form.cleaned_data)
        except DomainError as exc:
            form.add_error(None, sentence(exc.message.removeprefix("user_id: ")))
            return self._page(request, row, test=form, status=422)
        request.session[TestForm.KEPT] = form.cleaned_data
        where = " and ".join(name.capitalize() for name in sent.channels)
        messages.success(request, f"A test is on its way by {where}. Nobody else gets it.")
        return HttpResponseRedirect(_address(row))

    @deed(OPERATE)
    def pause(self, request: HttpRequest, broadcast_id: UUID) -> str:
        reason = request.POST.get("reason", "")
        broadcast_pause(broadcast_id=broadcast_id, by=request.user, reason=reason)
        return "It is paused: nothing more is sent until somebody resumes it."

    @deed(SEND)
    def resume(self, request: HttpRequest, broadcast_id: UUID) -> str:
        broadcast_resume(broadcast_id=broadcast_id, by=request.user)
        return "It goes on."

    @deed(OPERATE)
    def cancel(self, request: HttpRequest, broadcast_id: UUID) -> str:
        broadcast_cancel(broadcast_id=broadcast_id, by=request.user)
        return "It is cancelled: who has not got it never will."

    @deed(SEND)
    def unschedule(self, request: HttpRequest, broadcast_id: UUID) -> str:
        broadcast_schedule(broadcast_id=broadcast_id, scheduled_at=None, by=request.user)
        return "It is a draft again and does not start by itself."

    @deed(ADD)
    def clone(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        made = broadcast_clone(broadcast_id=broadcast_id, by=request.user)
        messages.success(request, "This is the copy: a draft with the same text and audience.")
        return HttpResponseRedirect(_address(made))

    def _page(
        self,
        request: HttpRequest,
        row: Broadcast,
        *,
        test: TestForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        is_editable = row.status in EDITABLE
        live = {} if is_editable else live_context(request, *operation_find(row.pk))
        return self.show(
            request,
            "broadcast",
            row.title,
            status=status,
            row=row,
            is_editable=is_editable,
            can=dict.fromkeys(actions_of(row), True),
            audience=broadcast_audience_text(row),
            looks=looks_of(row),
            acts=_acts(row.pk),
            test=test or (TestForm.for_person(request) if is_editable else None),
            telegram_off=telegram_off(row),
            share=request.build_absolute_uri(reverse("progress", args=[row.pk])),
            **live,
            **({} if is_editable else _missing(row)),
        )


def reach_context(row: Broadcast) -> dict[str, Any]:
    """What _reach.html shows of a dry run. Raises DomainError if its audience is gone."""
    run = broadcast_dry_run(broadcast_id=row.pk)
    return {
        "run": run,
        "sends": sum(counts.get("send", 0) for counts in run.channels.values()),
        "channels": [
            {
                "name": name,
                "send": counts.get("send", 0),
                "total": sum(counts.values()),
                "skipped": {why: n for why, n in counts.items() if why != "send" and n},
            }
            for name, counts in run.channels.items()
        ],
    }


def _missing(row: Broadcast) -> dict[str, Any]:
    """Who did not get it: the reasons with their counts, and the first of these people."""
    reasons = [each for each in reasons_of(row.pk) if each.fate in MISSED]
    shown = ledger_page(row.pk, fates=NOT_ARRIVED, limit=MISSING_SHOWN)
    return {
        "reasons": reasons,
        "missed": row.failed + row.unknown,
        "missing": shown.entries,
        "missing_more": shown.next_after is not None,
        "resendable": resendable(row),
    }


def _acts(broadcast_id: UUID) -> list[AuditEntry]:
    """What people did to it, newest first."""
    found = AuditEntry.objects.filter(object_type=OBJECT, object_id=str(broadcast_id))
    return list(found.order_by("-id")[:ACTS_SHOWN])


def _address(row: Broadcast) -> str:
    return reverse("admin:broadcasts_broadcast_change", args=[row.pk])
