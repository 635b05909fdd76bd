"""Days of the history take their storage parameters from the partition of the rest.

jobs_history_day goes a release later: until then an older worker may still call it.
"""

from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

TABLES = ("jobs_jobhistory_other", "jobs_jobattempt_other")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("jobs", "0005_suspects")]
    operations: ClassVar[list[Operation]] = [
        migrations.RunSQL(
            f"ALTER TABLE {table} SET (autovacuum_vacuum_insert_scale_factor = 0.5)",
            f"ALTER TABLE {table} RESET (autovacuum_vacuum_insert_scale_factor)",
        )
        for table in TABLES
    ]
