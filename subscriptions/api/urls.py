"""Addresses of the subscriptions, and the door of the panel."""

from django.urls import URLPattern, path

from payments.intake.webhooks import intake_view
from subscriptions.api import bulk_urls
from subscriptions.mirror.hook import NAME, PATH

urlpatterns: list[URLPattern] = [
    *bulk_urls.urlpatterns,
    path(PATH, intake_view(NAME), name="webhook-remnawave"),
]
