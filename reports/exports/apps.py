"""Exports: files of users, payments, servers and audit."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "reports.exports"
    label = "exports"
    verbose_name = "Exports"
