"""File watch: what appears in a directory, taken once it has settled."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "monitoring.files"
    label = "files"
    verbose_name = "File watch"
