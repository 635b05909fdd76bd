"""The ledger of a broadcast: who was to get it, what became of that and why, and sending it again."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.many import once_make, once_take
from jobs.admin.pages import check
from lib.errors import DomainError
from notifications.broadcasts.admin.forms import LedgerFilterForm, number_of
from notifications.broadcasts.admin.pages import (
    SEND,
    BroadcastConsole,
    broadcast_or_404,
    resendable,
    sentence,
)
from notifications.broadcasts.models import Broadcast, Fate, LedgerRow
from notifications.broadcasts.reasons import REASONS, reason_text
from notifications.broadcasts.selectors import ledger_page, reasons_of
from notifications.broadcasts.services import broadcast_resend_missing

ROWS_MOST = 1000  # that are resent by ticking them
_ONCE = "broadcasts_resend_once"
QUICK = (
    ("Everybody", ""),
    ("Did not get it", "fate=missed"),
    ("Failed", "fate=failed"),
    ("Skipped", "fate=skipped"),
    ("Unknown", "fate=unknown"),
    ("Sent", "fate=sent"),
    ("Pending", "fate=pending"),
)


class LedgerPages(BroadcastConsole):
    def pages(self) -> list[URLPattern]:
        one = "<uuid:broadcast_id>/"
        return [
            *super().pages(),
            self.at(f"{one}ledger/", self.ledger, "ledger"),
            self.at(f"{one}resend/", self.resend, "resend"),
        ]

    def ledger(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        """A page of recipients, by keyset."""
        row = broadcast_or_404(broadcast_id)
        form = LedgerFilterForm(request.GET)
        number = number_of(request.GET.get("page", "")) or 1
        page, following = None, ""
        if form.is_valid():
            after = number_of(request.GET.get("after", "")) or 0
            page = ledger_page(row.pk, after=after, **form.where())
            if page.next_after:
                here = {"after": str(page.next_after), "page": str(number + 1)}
                following = f"?{urlencode({**form.given(), **here})}"
        return self.show(
            request,
            "ledger",
            f"Recipients of “{row.title}”",
            row=row,
            form=form,
            chips=form.chips(),
            quick=[
                (label, query, dict(QueryDict(query).items()) == form.given())
                for label, query in QUICK
            ],
            reasons=reasons_of(row.pk),
            page=page,
            number=number,
            following=following,
            resendable=resendable(row),
            share=request.build_absolute_uri(f"{request.path}?{form.query()}".rstrip("?")),
        )

    def resend(self, request: HttpRequest, broadcast_id: UUID) -> HttpResponse:
        """GET: to whom it would go again. POST: it does, once per page that was looked at.

        `id`: rows of the ledger; else `reason`: why they did not get it; else all who are missing.
        """
        check(request, SEND)
        row = broadcast_or_404(broadcast_id)
        page = reverse("admin:broadcasts_broadcast_change", args=[row.pk])
        data = request.POST if request.method == "POST" else request.GET
        rows = [n for text in data.getlist("id")[:ROWS_MOST] if (n := number_of(text))]
        reasons = [name for name in data.getlist("reason") if name in REASONS]
        if request.method != "POST":
            return self._resend_look(request, row, rows, reasons)
        if not once_take(request, _ONCE):
            messages.warning(
                request,
                "Nothing was sent: that page was used before, or is out of date. Look again.",
            )
            return self._resend_look(request, row, rows, reasons)
        try:
            count = broadcast_resend_missing(
                broadcast_id=row.pk,
                by=request.user,
                include_unknown=request.POST.get("unknown") == "yes",
                reasons=reasons or None,
                rows=rows or None,
            )
        except DomainError as exc:
            messages.error(request, f"Refused: {sentence(exc.message)}")
            return HttpResponseRedirect(page)
        people = "one recipient" if count == 1 else f"{count:,} recipients"
        messages.success(request, f"It goes out again to {people}.")
        return HttpResponseRedirect(page)

    def _resend_look(
        self, request: HttpRequest, row: Broadcast, rows: list[int], reasons: list[str]
    ) -> HttpResponse:
        return self.show(
            request,
            "resend",
            f"Resend “{row.title}”",
            row=row,
            hidden=[("id", str(n)) for n in rows] + [("reason", name) for name in reasons],
            chosen=[reason_text(name) for name in reasons],
            once=once_make(request, _ONCE),
            possible=resendable(row),
            **_counted(row, rows, reasons),
        )


def _counted(row: Broadcast, rows: list[int], reasons: list[str]) -> dict[str, Any]:
    """How many are meant, by what became of them; and the first of them by name."""
    counts = {"failed": 0, "unknown": 0, "no_telegram": 0, "other": 0}
    if rows:
        found = LedgerRow.objects.filter(broadcast_id=row.pk, pk__in=rows)
        pairs = [(fate, reason, 1) for fate, reason in found.values_list("fate", "reason")]
    else:
        pairs = [
            (each.fate, each.reason, each.count)
            for each in reasons_of(row.pk)
            if not reasons or each.reason in reasons
        ]
    for fate, reason, count in pairs:
        if fate in {Fate.FAILED, Fate.UNKNOWN}:
            counts[fate] += count
        elif reason == "no_telegram":
            counts["no_telegram"] += count
        else:
            counts["other"] += count
    return {"counts": counts, "ticked": len(rows)}
