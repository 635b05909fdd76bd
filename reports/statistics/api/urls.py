"""Addresses of statistics and reports."""

from django.urls import URLPattern, path

from reports.statistics.api import statistics

_REPORT = "api/v1/reports/<int:report_id>"

urlpatterns: list[URLPattern] = [
    path("api/v1/reports/daily", statistics.DaysApi.as_view()),
    path("api/v1/reports/daily/<str:day>", statistics.DayApi.as_view()),
    path("api/v1/reports", statistics.ReportsApi.as_view()),
    path(_REPORT, statistics.ReportApi.as_view()),
    path(f"{_REPORT}/send", statistics.ReportSendApi.as_view()),
]
