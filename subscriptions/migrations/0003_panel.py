"""What all processes know of the panel."""

import datetime as dt

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0002_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="PanelPlace",
            fields=[
                ("number", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("token", models.BigIntegerField(db_default=0, default=0)),
                (
                    "until",
                    models.DateTimeField(
                        db_default=dt.datetime(1970, 1, 1, 0, 0, tzinfo=dt.UTC),
                        default=dt.datetime(1970, 1, 1, 0, 0, tzinfo=dt.UTC),
                    ),
                ),
            ],
            options={
                "db_table": "panel_place",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PanelState",
            fields=[
                (
                    "id",
                    models.SmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.CharField(db_default="", default="", max_length=40)),
                ("dialect", models.CharField(db_default="", default="", max_length=8)),
                ("seen_at", models.DateTimeField(null=True)),
                (
                    "held_reason",
                    models.CharField(blank=True, db_default="", default="", max_length=300),
                ),
                ("held_at", models.DateTimeField(null=True)),
                ("is_identity_checked", models.BooleanField(db_default=True, default=True)),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "released_by",
                    models.CharField(blank=True, db_default="", default="", max_length=150),
                ),
            ],
            options={
                "db_table": "panel_state",
                "permissions": [("operate_panelstate", "Can let writes to the panel go on")],
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="panel_state_one"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("held_at", None), ("held_reason", "")),
                            models.Q(
                                models.Q(("held_reason", ""), _negated=True),
                                ("held_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="panel_state_held_since",
                    ),
                ],
            },
        ),
        # Whoever crashes holds no place: nothing of it needs to survive, and a take waits for no disk.
        migrations.RunSQL("ALTER TABLE panel_place SET UNLOGGED", migrations.RunSQL.noop),
    ]
