"""Exports: files of users, payments, servers and audit."""

from importlib import import_module

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "reports.exports"
    label = "exports"
    verbose_name = "Exports"

    def ready(self) -> None:
        import_module("reports.exports.progress").register()
        import_module("reports.exports.attention")
