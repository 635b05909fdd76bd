"""Addresses of the webhooks."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
