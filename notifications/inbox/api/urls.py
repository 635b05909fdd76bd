"""The addresses of the inbox over REST."""

from django.urls import URLPattern, path

from notifications.inbox.api import (
    admin_connected,
    admin_notifications,
    change,
    notify,
    preferences,
    tickets,
)

_ADMIN = "api/v1/admin"

urlpatterns: list[URLPattern] = [
    path(notify.PATH, notify.NotifyApi.as_view()),
    path(f"{notify.PATH}/<uuid:notification_id>", change.NotificationApi.as_view()),
    path(f"{_ADMIN}/clients", admin_connected.ClientsApi.as_view()),
    path(f"{_ADMIN}/users", admin_connected.UsersApi.as_view()),
    path(f"{_ADMIN}/pending", admin_notifications.PendingApi.as_view()),
    path(f"{_ADMIN}/history", admin_notifications.HistoryApi.as_view()),
    path(
        "api/v1/recipients/<int:user_id>/<path:login>/preferences",
        preferences.PreferencesApi.as_view(),
    ),
    *tickets.urlpatterns,
]
