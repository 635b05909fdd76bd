"""Jobs whose worker once died are leased apart from the others."""

from pathlib import Path

from django.db import migrations, models

LEASE = (Path(__file__).parent / "sql" / "lease.sql").read_text()
# As 0002 made them before this migration was written, or makes them now.
DROP = """
DROP FUNCTION jobs_lease; DROP FUNCTION jobs_ready; DROP FUNCTION IF EXISTS jobs_lease_suspects;
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0004_slots")]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(
                    ("blocked", False),
                    ("crash_count__gt", 0),
                    ("state__in", ["scheduled", "available"]),
                ),
                fields=["run_at"],
                name="jobs_job_suspect",
            ),
        ),
        migrations.RunSQL([(DROP + LEASE, None)], migrations.RunSQL.noop),
    ]
