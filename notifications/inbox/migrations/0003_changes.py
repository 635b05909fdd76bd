"""The functions that change, release and forget notifications: notifications/inbox/migrations/sql/."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


def _run(name: str, reverse: str) -> migrations.RunSQL:
    # One statement list without parameters: percent signs must stay as they are.
    return migrations.RunSQL([((SQL / f"{name}.sql").read_text(), None)], reverse)


class Migration(migrations.Migration):
    dependencies = [("inbox", "0002_functions")]

    operations = [
        _run(
            "change",
            "DROP FUNCTION inbox_release, inbox_update, inbox_close, inbox_lock_of, inbox_told; "
            "DROP TYPE inbox_change",
        ),
        _run("trim", "DROP INDEX inbox_recipient_short; DROP FUNCTION inbox_trim"),
    ]
