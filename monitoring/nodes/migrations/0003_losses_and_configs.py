"""When a server was lost, what changed in its settings, and the moment of a sample."""

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("nodes", "0002_samples")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField(
            model_name="node",
            name="lost_at",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.DateTimeField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="node", name="flapping_since", field=models.DateTimeField(null=True)
        ),
        migrations.CreateModel(
            name="NodeConfigChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("changes", models.JSONField()),
                ("config_hash", models.CharField(max_length=64)),
                (
                    "node",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="config_changes",
                        to="nodes.node",
                    ),
                ),
            ],
            options={
                "db_table": "node_config_change",
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["node", "-at"], name="node_config_change_node")],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE node_sample ADD COLUMN taken_at timestamptz NOT NULL DEFAULT now()",
            "ALTER TABLE node_sample DROP COLUMN taken_at",
        ),
    ]
