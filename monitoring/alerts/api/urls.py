"""Addresses of the alerts, and the door of Telegram."""

from django.urls import URLPattern, path

from monitoring.alerts import webhooks
from monitoring.alerts.api import alertmanager, alerts
from monitoring.alerts.webhook import PATH

_ALERT = "api/v1/alerts/<uuid:alert_id>"

urlpatterns: list[URLPattern] = [
    path(PATH, webhooks.telegram, name="webhook-telegram"),
    path("api/v1/alerts", alerts.AlertsApi.as_view()),
    path("api/v1/alerts/alertmanager", alertmanager.AlertmanagerApi.as_view()),
    path(_ALERT, alerts.AlertApi.as_view()),
    path(f"{_ALERT}/actions/acknowledge", alerts.AlertAcknowledgeApi.as_view()),
    path(f"{_ALERT}/actions/silence", alerts.AlertSilenceApi.as_view()),
    path(f"{_ALERT}/actions/resolve", alerts.AlertResolveApi.as_view()),
    path(f"{_ALERT}/actions/assign", alerts.AlertAssignApi.as_view()),
]
