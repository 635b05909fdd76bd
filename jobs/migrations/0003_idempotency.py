"""Answers kept for repeated requests, and what outside workers tell about themselves and their jobs."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_functions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="labels",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="worker",
            name="slots",
            field=models.IntegerField(db_default=1, default=1),
        ),
        migrations.CreateModel(
            name="AttemptLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("job_id", models.UUIDField()),
                ("fence", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("level", models.CharField(max_length=10)),
                ("message", models.CharField(max_length=1000)),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["job_id", "fence", "id"], name="jobs_attemptline_job"),
                    models.Index(fields=["at"], name="jobs_attemptline_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("scope", models.CharField(max_length=80)),
                ("key", models.CharField(max_length=200)),
                ("body_hash", models.CharField(max_length=64)),
                ("status", models.SmallIntegerField()),
                ("answer", models.TextField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["created_at"], name="jobs_keptanswer_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "scope", "key"), name="jobs_keptanswer_one_per_key"
                    )
                ],
            },
        ),
    ]
