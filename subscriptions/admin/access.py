"""Money to access: who paid and is not served as paid, what each side says, and the button that heals."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.asked import number_of
from jobs.admin.lists import quick_links, turning
from jobs.admin.pages import deed
from jobs.audit import audit_write
from lib.errors import InputInvalid
from subscriptions.access.healing import gap_dismiss, gap_heal, gaps_heal
from subscriptions.access.selectors import access_summary
from subscriptions.access.tasks import reconcile_access
from subscriptions.admin.forms import GapFilterForm
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.models import AccessGap
from subscriptions.screens.access import gaps_page

OPERATE = "subscriptions.operate_accessgap"
HEAL_MOST = 200
QUICK = (("Open", ""), ("Held", "kind=held"), ("Failed", "kind=failed"), ("Closed", "which=closed"))


@admin.register(AccessGap)
class AccessGapAdmin(SubscriptionConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("compare/", self.compare, "compare"),
            self.at("heal/", self.heal_many, "heal_many"),
            self.at("<int:gap_id>/heal/", self.heal, "heal"),
            self.at("<int:gap_id>/dismiss/", self.dismiss, "dismiss"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The gaps, those open longest first. Its queries do not depend on how many there are."""
        del extra_context
        form = GapFilterForm(request.GET)
        page = None
        if form.is_valid():
            given = form.cleaned_data
            page = gaps_page(
                kind=given["kind"],
                is_open=not given["which"],
                payment_id=given["payment"],
                after=request.GET.get("after", ""),
            )
        return self.show(
            request,
            "access",
            "Money to access",
            summary=access_summary(),
            quick=quick_links(form, QUICK),
            page=page,
            is_open=not form.data.get("which"),
            may_act=request.user.has_perm(OPERATE),
            may_ask=request.user.has_perm("payments.operate_payment"),
            **turning(request, form, page.after if page else None),
        )

    @deed(OPERATE)
    def heal(self, request: HttpRequest, gap_id: int) -> str:
        remedy = gap_heal(gap_id=gap_id, by=request.user)
        return f"{remedy}: it runs. The line goes once it was seen to be over."

    @deed(OPERATE)
    def heal_many(self, request: HttpRequest) -> str:
        ids = [number_of(text) for text in request.POST.getlist("id")[:HEAL_MOST]]
        known = [each for each in ids if each is not None]
        if not known:
            raise InputInvalid("tick at least one line")
        healed, refused = gaps_heal(gap_ids=known, by=request.user)
        if not healed:
            raise InputInvalid("; ".join(refused[:5]))
        left = f"; {len(refused)} could not be: {'; '.join(refused[:5])}" if refused else ""
        return f"{healed} are being healed{left}."

    @deed(OPERATE)
    def dismiss(self, request: HttpRequest, gap_id: int) -> str:
        gap_dismiss(gap_id=gap_id, note=request.POST.get("reason", ""), by=request.user)
        return "It is noted that this is right as it is; it is not opened again."

    @deed(OPERATE)
    def compare(self, request: HttpRequest) -> str:
        with transaction.atomic():
            audit_write(request.user, "access.compare", "money to access", "all")
            reconcile_access.enqueue(unique="payments.reconcile_access:asked")
        return "Provider, ledger and panel are being compared. Load the page again in a moment."
