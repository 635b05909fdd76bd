"""Plans and what they cost: a new price ends the one before, and none is ever changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.asked import or_404
from jobs.admin.pages import check, deed
from jobs.models import AuditEntry
from lib.errors import DomainError
from subscriptions.activation.plans import (
    PLAN,
    plan_change,
    plan_create,
    plan_find,
    plans_all,
    price_end,
    price_set,
)
from subscriptions.admin.forms import PlanForm, PriceForm
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.models import Plan
from subscriptions.screens.plans import counts_by_plan

ADD = "subscriptions.add_plan"
CHANGE = "subscriptions.change_plan"
PRICE = "subscriptions.add_price"
ACTS = 12


@admin.register(Plan)
class PlanAdmin(SubscriptionConsole):
    def pages(self) -> list[URLPattern]:
        one = "<slug:code>/"
        return [
            self.at("new/", self.create, "new"),
            self.at(f"{one}change/", self.plan, "change"),
            self.at(f"{one}edit/", self.edit, "edit"),
            self.at(f"{one}price/", self.price, "price"),
            self.at(f"{one}price/end/", self.price_end, "price_end"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All plans; there are few."""
        del extra_context
        return self.show(
            request,
            "plans",
            "Plans",
            plans=list(plans_all()),
            counts=counts_by_plan(),
            may_add=request.user.has_perm(ADD),
        )

    def create(self, request: HttpRequest) -> HttpResponse:
        """GET: the form. POST: a plan, which is sold once it has a price."""
        check(request, ADD)
        form = PlanForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            code = form.cleaned_data["code"]
            try:
                plan_create(code=code, by=request.user, **form.fields_of())
            except DomainError as exc:
                form.add_error(None, f"{exc.message}.")
            else:
                return HttpResponseRedirect(_page(code))
        status = 422 if form.errors else 200
        return self.show(request, "plan_form", "A new plan", status=status, plan_form=form)

    def plan(self, request: HttpRequest, code: str) -> HttpResponse:
        """One plan with the history of its prices."""
        return self._plan_page(request, or_404(plan_find, code), PriceForm())

    def edit(self, request: HttpRequest, code: str) -> HttpResponse:
        """GET: the form. POST: orders to come are made with it; those that were made stay."""
        check(request, CHANGE)
        plan = or_404(plan_find, code)
        form = PlanForm.of(plan)
        if request.method == "POST":
            form = PlanForm(request.POST)
            del form.fields["code"]
            if form.is_valid():
                try:
                    plan_change(plan_id=plan.pk, by=request.user, **form.fields_of())
                except DomainError as exc:
                    form.add_error(None, f"{exc.message}.")
                else:
                    return HttpResponseRedirect(_page(code))
        status = 422 if form.errors else 200
        return self.show(
            request, "plan_form", f"Change {plan.title}", status=status, plan_form=form, plan=plan
        )

    def price(self, request: HttpRequest, code: str) -> HttpResponse:
        """POST: a price from now on."""
        if request.method != "POST":
            return HttpResponseRedirect(_page(code))
        return self._price(request, code)

    @deed(PRICE)
    def _price(self, request: HttpRequest, code: str) -> str | HttpResponse:
        plan = or_404(plan_find, code)
        form = PriceForm(request.POST)
        if not form.is_valid():
            return self._plan_page(request, plan, form, status=422)
        price = price_set(plan_id=plan.pk, by=request.user, **form.cleaned_data)
        return f"{plan.title} costs {price} from now on. Orders that were made keep their price."

    @deed(PRICE)
    def price_end(self, request: HttpRequest, code: str) -> str:
        plan = or_404(plan_find, code)
        currency = request.POST.get("currency", "")
        price_end(plan_id=plan.pk, currency=currency, by=request.user)
        return f"{plan.title} is not sold for {currency} any more."

    def _plan_page(
        self, request: HttpRequest, plan: Plan, form: PriceForm, status: int = 200
    ) -> HttpResponse:
        audit = AuditEntry.objects.filter(object_type=PLAN, object_id=plan.code)
        return self.show(
            request,
            "plan",
            plan.title,
            status=status,
            plan=plan,
            price_form=form,
            prices=list(plan.prices.order_by("currency", "-valid_from", "-id")),
            counts=counts_by_plan(),
            acts=audit.order_by("-id")[:ACTS],
            may_change=request.user.has_perm(CHANGE),
            may_price=request.user.has_perm(PRICE),
        )


def _page(code: str) -> str:
    return reverse("admin:subscriptions_plan_change", args=[code])
