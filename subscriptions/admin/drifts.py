"""Drift in the console: what the panel and we see otherwise, and whose word is to count."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.asked import number_of
from jobs.admin.lists import quick_links, turning
from jobs.admin.pages import deed
from subscriptions.admin.forms import DriftFilterForm
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.mirror.drifts import IDENTITY
from subscriptions.mirror.settling import PUSHED, drift_settle
from subscriptions.mirror.tasks import settle_drift
from subscriptions.models import Drift, MirrorPass
from subscriptions.screens.drifts import drift_groups, drifts_page

OPERATE = "subscriptions.operate_drift"
QUICK = (("Open", ""), ("Who it is", f"field={IDENTITY}"), ("Settled", "which=settled"))
_SAID = {
    "theirs": "The panel's word counts: it is taken over.",
    "ours": "Our word counts: it is written to the panel.",
    "ignored": "It stays as it is, and is not shown again while nothing changes.",
}


@admin.register(Drift)
class DriftAdmin(SubscriptionConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("<int:drift_id>/settle/", self.settle, "settle")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The differences, newest first, below how many there are of which. Three queries."""
        del extra_context
        form = DriftFilterForm(request.GET)
        page = None
        if form.is_valid():
            given = form.cleaned_data
            page = drifts_page(
                is_open=not given["which"],
                field=given["field"],
                subscriber_id=given["subscriber"],
                after=number_of(request.GET.get("after", "")),
            )
        return self.show(
            request,
            "drifts",
            "Drift between the panel and us",
            groups=drift_groups(),
            last=MirrorPass.objects.exclude(finished_at=None).order_by("-id").first(),
            quick=quick_links(form, QUICK),
            page=page,
            identity=IDENTITY,
            pushed=PUSHED,
            may_act=request.user.has_perm(OPERATE),
            **turning(request, form, page.after if page else None),
        )

    @deed(OPERATE)
    def settle(self, request: HttpRequest, drift_id: int) -> str:
        how = request.POST.get("how", "")
        with transaction.atomic():
            is_done = drift_settle(drift_id=drift_id, how=how, by=request.user)
            if not is_done:
                settle_drift.enqueue(
                    drift_id=drift_id,
                    how=how,
                    by_id=request.user.pk,
                    unique=("subscriptions.settle_drift", drift_id),
                )
        later = "" if is_done else " A job asks the panel; the line goes once that is done."
        return f"{_SAID[how]}{later}"
