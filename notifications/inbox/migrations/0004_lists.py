"""Indexes for the lists of the console."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "lists.sql"
_BACK = """
DROP INDEX inbox_notification_rare;
DROP INDEX inbox_notification_aside;
DROP INDEX inbox_recipient_login;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inbox", "0003_changes")]

    operations: ClassVar = [migrations.RunSQL(_SQL.read_text(), _BACK)]
