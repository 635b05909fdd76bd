"""Hints of the panel, and what a pass has not seen."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0006_lifecycle"),
    ]

    operations = [
        migrations.AddField(
            model_name="mirrorpass",
            name="is_comparing",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="mirrorpass",
            name="strangers",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="mirrorpass",
            name="suspects",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.CreateModel(
            name="PanelHint",
            fields=[
                ("panel_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "panel_hint",
                "default_permissions": (),
                "indexes": [models.Index(fields=["at"], name="panel_hint_at")],
            },
        ),
    ]
