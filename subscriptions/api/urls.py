"""Addresses of the subscriptions."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
