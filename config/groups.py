"""The four groups of the console: who may do what, as one table.

A permission is `app.codename`, a pattern may hold `*`. The groups belong to the code: each migrate
gives them exactly what this table says, also permissions of apps that came later. Who needs another
mix makes a group of their own, which is never touched.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import transaction


@dataclass(frozen=True)
class Grant:
    """Everything that matches `may` and does not match `never`."""

    may: tuple[str, ...]
    never: tuple[str, ...] = ()

    def covers(self, permission: str) -> bool:
        """Whether the group holds `app.codename`."""
        return any(fnmatchcase(permission, pattern) for pattern in self.may) and not any(
            fnmatchcase(permission, pattern) for pattern in self.never
        )


# Sessions and the hashes of tokens are nobody's business.
_SECRETS = ("knox.*", "sessions.*")
# What an operator does goes through the services; the rows behind them are not edited by hand.
_ACTS = (
    *(
        f"{app}.{verb}_*"
        for app in (
            "jobs",
            "telegram",
            "conversations",
            "broadcasts",
            "files",
            "webhooks",
            "payments",
            "subscriptions",
            "nodes",
            "alerts",
            "checks",
            "statistics",
            "exports",
        )
        for verb in ("operate", "pause", "direct", "enqueue", "send")
    ),
    "broadcasts.add_*",
    "broadcasts.change_broadcast",
    "inbox.send_notification",
    "inbox.change_notification",  # recall and edit
    "inbox.change_recipient",  # preferences
    "subscriptions.change_subscriber",  # what only we know: language, plan, note
)

GROUPS: dict[str, Grant] = {
    "Super Admin": Grant(may=("*",)),
    "Admin": Grant(
        may=("*",),
        never=(*_SECRETS, *(f"auth.{verb}_*" for verb in ("add", "change", "delete"))),
    ),
    "Operator": Grant(
        may=("*.view_*", *_ACTS),
        never=(*_SECRETS, "auth.*"),
    ),
    "Support": Grant(may=("*.view_*",), never=(*_SECRETS, "auth.*")),
}


def sync_groups(*, apps: Apps, using: str = "default") -> None:
    """Give each group of the table exactly its permissions. Safe to repeat."""
    group_model = apps.get_model("auth", "Group")
    permission_model = apps.get_model("auth", "Permission")
    names = {
        row.pk: f"{row.content_type.app_label}.{row.codename}"
        for row in permission_model.objects.using(using).select_related("content_type")
    }
    with transaction.atomic(using=using):
        for name, grant in GROUPS.items():
            group, _ = group_model.objects.using(using).get_or_create(name=name)
            wanted = {pk for pk, permission in names.items() if grant.covers(permission)}
            group.permissions.set(wanted)


def after_migrate(sender: AppConfig, using: str, apps: Apps = installed, **_: Any) -> None:
    """post_migrate, once for all apps: when the last one has been announced."""
    last = [app for app in installed.get_app_configs() if app.models_module is not None][-1]
    if sender is not last:
        return
    try:
        apps.get_model("auth", "Group")
    except LookupError:
        return  # `migrate auth zero`: there is nothing to put them into
    # The permissions of the last app are made by another receiver, which may come after us.
    create_permissions(sender, verbosity=0, using=using, apps=apps)
    sync_groups(apps=apps, using=using)
