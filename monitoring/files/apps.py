"""File watch: what appears in a directory, taken once it has settled."""

from importlib import import_module

from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "monitoring.files"
    label = "files"
    verbose_name = "File watch"

    def ready(self) -> None:
        for name in ("acts.audience", "acts.subscribers", "acts.telegram", "progress"):
            import_module(f"monitoring.files.{name}").register()
