"""Addresses of retention."""

from django.urls import URLPattern, path

from reports.retention.api import retention

urlpatterns: list[URLPattern] = [
    path("api/v1/retention", retention.RetentionApi.as_view()),
    path("api/v1/retention/runs", retention.RetentionRunsApi.as_view()),
    path("api/v1/retention/runs/<uuid:run_id>", retention.RetentionRunApi.as_view()),
]
