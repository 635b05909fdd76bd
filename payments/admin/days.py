"""What days earned: charts by day, tables by plan and by asset, for a span and a currency."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.pages import deed
from jobs.audit import audit_write
from payments.admin.forms import DaysForm
from payments.admin.pages import PaymentConsole
from payments.listing.days import SPANS, assets_of, bars_of, currencies, plans_of, span_of
from payments.models import FinancialDay
from payments.tasks import compute_financial_stats


@admin.register(FinancialDay)
class FinancialDayAdmin(PaymentConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("compute/", self.compute, "compute")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The charts. Its queries are few and read one line per day, plan and currency."""
        del extra_context
        form = DaysForm(request.GET)
        span = int(form.cleaned_data["days"] or SPANS[0]) if form.is_valid() else SPANS[0]
        first, today = span_of(span)
        names = currencies(first, today)
        wanted = request.GET.get("currency", "").upper()
        currency = wanted if wanted in names else (names[0] if names else "")
        context: dict[str, Any] = {}
        if currency:
            bars = bars_of(currency, first, today)
            context = {
                "bars": bars,
                "plans": plans_of(currency, first),
                "assets": assets_of(currency, first),
                "most": max(max(bar.revenue, bar.refunds) for bar in bars),
                "total": sum(bar.revenue for bar in bars),
                "refunds": sum(bar.refunds for bar in bars),
                "completed": sum(bar.completed for bar in bars),
                "failed": sum(bar.failed for bar in bars),
            }
        return self.show(
            request,
            "days",
            "Revenue",
            currency=currency,
            names=names,
            span=span,
            spans=SPANS,
            first=first,
            today=today,
            computed_to=FinancialDay.objects.order_by("-day").values_list("day", flat=True).first(),
            **context,
        )

    @deed("payments.operate_payment")
    def compute(self, request: HttpRequest) -> str:
        with transaction.atomic():
            audit_write(request.user, "payments.compute", "financial days", "due")
            compute_financial_stats.enqueue()
        return "The days that are over are being computed."
