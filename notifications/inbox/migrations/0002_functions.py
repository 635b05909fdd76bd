"""The functions that change inboxes: notifications/inbox/migrations/sql/."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


def _run(name: str, reverse: str) -> migrations.RunSQL:
    # One statement list without parameters: percent signs must stay as they are.
    return migrations.RunSQL([((SQL / f"{name}.sql").read_text(), None)], reverse)


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_tables")]

    operations = [
        _run(
            "person",
            "DROP FUNCTION inbox_recipients, inbox_lock, inbox_advance, inbox_note, inbox_count, "
            "inbox_quiet_until",
        ),
        _run("accept", "DROP FUNCTION inbox_accept, inbox_replace"),
        _run("read", "DROP FUNCTION inbox_read"),
        _run("stream", "DROP FUNCTION inbox_snapshot, inbox_changes"),
    ]
