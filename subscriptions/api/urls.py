"""Addresses of the subscriptions."""

from django.urls import URLPattern

from subscriptions.api import bulk_urls

urlpatterns: list[URLPattern] = [*bulk_urls.urlpatterns]
