"""Inbox: notifications on the screens of people, at once or when they come back."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class InboxConfig(AppConfig):
    name = "notifications.inbox"
    label = "inbox"
    verbose_name = "Inbox"

    def ready(self) -> None:
        post_migrate.connect(_declare, sender=self, dispatch_uid="inbox.declare")


def _declare(**kwargs: Any) -> None:
    """Write the one row that the tables need, unless the tables have just been taken away."""
    from jobs import sql
    from notifications.inbox.epochs import epoch_ensure

    if sql.row("SELECT 1 WHERE to_regclass('inbox_epoch') IS NOT NULL"):
        epoch_ensure()
