"""The four groups. What they may do follows after each migrate (config/groups.py)."""

from typing import ClassVar

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NAMES = ("Super Admin", "Admin", "Operator", "Support")


def add_groups(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name in NAMES:
        groups.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("config", "0001_console_permissions"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    # Going back keeps the groups: people are in them.
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.RunPython(add_groups, migrations.RunPython.noop)
    ]
