"""Finding a subscriber by how the name begins, whatever the case."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_tables")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX subscriber_search ON subscriber (upper(username) text_pattern_ops)",
            "DROP INDEX subscriber_search",
        )
    ]
