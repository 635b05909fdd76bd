"""The addresses of long operations. Their socket is in config/asgi.py."""

from django.urls import path

from jobs.progress import api, pages

_API = "api/v1/progress/<uuid:operation_id>"

urlpatterns = [
    path("progress/<uuid:operation_id>", pages.ProgressPage.as_view(), name="progress"),
    path(_API, api.ProgressApi.as_view(), name="progress-api"),
    path(f"{_API}/actions/<slug:act>", api.ProgressActApi.as_view(), name="progress-act"),
    path(f"{_API}/tickets", api.ProgressTicketApi.as_view()),
]
