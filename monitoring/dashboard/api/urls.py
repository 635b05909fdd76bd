"""The addresses of the live dashboard. Its socket is in config/asgi.py."""

from django.urls import path

from monitoring.dashboard.api.page import OpsPage
from monitoring.dashboard.api.picture import DashboardApi

urlpatterns = [
    path("ops/", OpsPage.as_view(), name="ops"),
    path("api/v1/dashboard", DashboardApi.as_view(), name="dashboard-api"),
]
