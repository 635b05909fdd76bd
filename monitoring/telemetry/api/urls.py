"""The addresses of telemetry."""

from django.urls import URLPattern, path

from monitoring.telemetry.api import views

urlpatterns: list[URLPattern] = [
    path("v1/admin/telemetry/summary", views.TelemetrySummaryApi.as_view()),
    path("v1/admin/telemetry/prometheus", views.TelemetryPrometheusApi.as_view()),
]
