from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("telegram", "0005_reply_markup"),
    ]

    operations = [
        migrations.CreateModel(
            name="Stat",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("type", models.CharField(max_length=50)),
                ("status", models.CharField(max_length=12)),
                ("count", models.BigIntegerField()),
            ],
            options={
                "db_table": "telegram_stat",
                "default_permissions": (),
                "indexes": [models.Index(fields=["at"], name="telegram_stat_at")],
            },
        ),
    ]
