"""The project itself as an app: permissions, groups, checks, commands, and the admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class ConsoleConfig(AppConfig):
    name = "config"
    verbose_name = "Console"

    def ready(self) -> None:
        """Connect what must be there before the first request or migrate."""
        from config import checks, groups, sources  # noqa: F401 - models can be imported only now
        from config.api import schema  # noqa: F401

        autodiscover_modules("figures")  # the numbers of the start page: lib.now
        post_migrate.connect(groups.after_migrate, dispatch_uid="config.groups")


class SwitchboardAdminConfig(AdminConfig):
    default_site = "config.site.SwitchboardAdminSite"
