"""Addresses of the file watch."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
