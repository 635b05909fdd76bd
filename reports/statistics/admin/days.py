"""Days in the console: charts over a span, one day with everything it knows, and how business is."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.asked import or_404
from jobs.admin.pages import deed
from reports.statistics import services
from reports.statistics.admin.forms import SpanForm
from reports.statistics.admin.pages import StatisticsConsole, day_of
from reports.statistics.days.spans import DAY
from reports.statistics.models import DailyStat
from reports.statistics.screens.charts import SPANS, business_of, screen_of
from reports.statistics.screens.listing import day_get

OPERATE = "statistics.operate_dailystat"


@admin.register(DailyStat)
class DailyStatAdmin(StatisticsConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("business/", self.business, "business"),
            self.at("compute/", self.compute, "compute"),
            self.at("<str:day>/change/", self.day, "change"),
            self.at("<str:day>/compute/", self.compute_day, "compute_day"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The charts. One query reads all the days that they show."""
        del extra_context
        form = SpanForm(request.GET)
        screen = screen_of(form.span())
        return self.show(
            request,
            "days",
            "Daily statistics",
            screen=screen,
            currency=form.chosen(screen.currencies),
            span=form.span(),
            spans=SPANS,
            share=request.build_absolute_uri(),
        )

    def business(self, request: HttpRequest) -> HttpResponse:
        """Revenue by plan, run rate, churn, first payments, cohorts. Four queries."""
        form = SpanForm(request.GET)
        business = business_of(form.span())
        return self.show(
            request,
            "business",
            "Business",
            business=business,
            screen=business.screen,
            currency=form.chosen(business.screen.currencies),
            span=form.span(),
            spans=SPANS,
            share=request.build_absolute_uri(),
        )

    def day(self, request: HttpRequest, day: str) -> HttpResponse:
        """Everything that is known of one day."""
        row = or_404(day_get, day_of(day))
        near = set(
            DailyStat.objects.filter(day__in=[row.day - DAY, row.day + DAY]).values_list(
                "day", flat=True
            )
        )
        return self.show(
            request,
            "day",
            f"{row.day:%A} {row.day.day} {row.day:%B %Y}",
            row=row,
            before=row.day - DAY if row.day - DAY in near else None,
            after=row.day + DAY if row.day + DAY in near else None,
        )

    @deed(OPERATE)
    def compute(self, request: HttpRequest) -> str:
        services.days_ask(by=request.user)
        return "The days that are due are being computed. Load the page again in a moment."

    @deed(OPERATE)
    def compute_day(self, request: HttpRequest, day: str) -> str:
        services.days_ask(by=request.user, day=day_of(day))
        return "The day is being computed. Load the page again in a moment."
