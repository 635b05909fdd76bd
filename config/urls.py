"""Every address of the site. Probes are also answered by config.health before they get here."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config import health, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.landing, name="landing"),
    path("health", health.health, name="health"),
    path("ready", health.ready, name="ready"),
    path("metrics", health.metrics, name="metrics"),
    path("api/schema/", pages.schema, name="api-schema"),
    path("api/docs/", pages.docs, name="api-docs"),
    path("", include("notifications.telegram.api")),
    path("", include("notifications.inbox.api.urls")),
    path("", include("notifications.inbox.live.api")),
    path("", include("notifications.webhooks.api.urls")),
    path("", include("notifications.conversations.api.urls")),
    path("", include("notifications.broadcasts.api.urls")),
    path("", include("payments.api.urls")),
    path("", include("subscriptions.api.urls")),
    path("", include("monitoring.checks.api.urls")),
    path("", include("monitoring.telemetry.api.urls")),
    path("", include("monitoring.dashboard.api.urls")),
    path("", include("monitoring.alerts.api.urls")),
    path("", include("monitoring.files.api.urls")),
    path("", include("monitoring.nodes.api.urls")),
    path("", include("reports.statistics.api.urls")),
    path("", include("reports.retention.api.urls")),
    path("", include("reports.exports.api.urls")),
    path("", include("jobs.api.urls")),
    path("", include("jobs.progress.urls")),
    path("admin/", admin.site.urls),
]
