"""Tables and functions that Django's fields cannot say: jobs/migrations/sql/."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


def _run(name: str, reverse: str) -> migrations.RunSQL:
    text = (SQL / f"{name}.sql").read_text()
    # One statement list without parameters: percent signs of format() must stay as they are.
    return migrations.RunSQL([(text, None)], reverse)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        _run(
            "table",
            "DROP FUNCTION jobs_wake CASCADE; DROP AGGREGATE jobs_hist_sum(jsonb); "
            "DROP FUNCTION jobs_hist_add",
        ),
        _run(
            "history",
            "DROP VIEW jobs_jobrecord; DROP FUNCTION jobs_history_day; "
            "DROP TABLE jobs_jobattempt; DROP TABLE jobs_jobhistory",
        ),
        _run(
            "line",
            "DROP FUNCTION jobs_line_wake; DROP FUNCTION jobs_line_leave; DROP FUNCTION jobs_line_try; "
            "DROP FUNCTION jobs_line_settle; DROP FUNCTION jobs_line_enter; DROP FUNCTION jobs_line_lock",
        ),
        _run(
            "lease",
            "DROP FUNCTION jobs_lease; DROP FUNCTION jobs_ready; DROP FUNCTION jobs_lease_suspects",
        ),
        _run(
            "finish",
            "DROP FUNCTION jobs_reap; DROP FUNCTION jobs_count; DROP FUNCTION jobs_batch_count; "
            "DROP FUNCTION jobs_after_dead; DROP FUNCTION jobs_after_end; DROP FUNCTION jobs_untie; DROP FUNCTION jobs_put_back; "
            "DROP FUNCTION jobs_complete",
        ),
    ]
