"""What a timer does when it rings."""

from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parent / "sql" / "ring.sql"
_DROP = """
DROP FUNCTION conversation_ring;
DROP FUNCTION conversation_told;
DROP FUNCTION conversation_settle;
DROP FUNCTION conversation_count;
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_title_index"), ("webhooks", "0001_tables")]

    operations = [migrations.RunSQL(_SQL.read_text(), _DROP)]
