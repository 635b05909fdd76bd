from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0014_access_doubt")]

    operations = [
        migrations.AddField(
            model_name="bulkoperation",
            name="pause_reason",
            field=models.TextField(db_default="", default=""),
        ),
    ]
