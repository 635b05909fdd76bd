from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("telegram", "0004_lists"),
    ]

    operations = [
        migrations.AddField(
            model_name="queuedmessage",
            name="reply_markup",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
