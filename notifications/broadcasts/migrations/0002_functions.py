"""Counting and settling rows of the ledger: notifications/broadcasts/migrations/sql/."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


def _run(name: str, reverse: str) -> migrations.RunSQL:
    # One statement list without parameters: percent signs must stay as they are.
    return migrations.RunSQL([((SQL / f"{name}.sql").read_text(), None)], reverse)


class Migration(migrations.Migration):
    dependencies = [("broadcasts", "0001_tables")]

    operations = [
        _run("table", migrations.RunSQL.noop),
        _run("count", "DROP FUNCTION broadcast_turn, broadcast_settle, broadcast_count"),
    ]
