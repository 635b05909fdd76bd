"""Addresses of the broadcasts."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
