"""Signing secrets are encrypted from now on; see notifications/webhooks/sealing.py."""

from collections.abc import Callable

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from notifications.webhooks import sealing


def _each(editor: BaseDatabaseSchemaEditor, change: Callable[[str], str | None]) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, secret, old_secret FROM webhook_endpoint FOR UPDATE")
        for key, *found in cursor.fetchall():
            changed = [None if each is None else change(each) for each in found]
            cursor.execute(
                "UPDATE webhook_endpoint SET secret = %s, old_secret = %s WHERE id = %s",
                [*changed, key],
            )


def encrypt(_: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _each(editor, sealing.seal)


def decrypt(_: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    _each(editor, sealing.unseal)


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_given_up")]

    operations = [
        migrations.AlterField("endpoint", "secret", sealing.SealedField()),
        migrations.AlterField("endpoint", "old_secret", sealing.SealedField(blank=True, null=True)),
        migrations.RunPython(encrypt, decrypt),
    ]
