"""Titles are found by how they begin, whatever their case."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX conversation_dialog_title"
            " ON conversation_dialog (lower(title) text_pattern_ops, id DESC)",
            "DROP INDEX conversation_dialog_title",
        )
    ]
