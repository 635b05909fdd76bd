"""Whose end was moved towards now: noted when it happens, so that nobody has to look at all who paid."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models.functions import Now

UP = """
-- Whoever writes it: the mirror, a person, a bulk operation. A later note of the same person counts
-- again, so that whoever takes notes away at the same moment leaves it.
CREATE FUNCTION access_doubt_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO access_doubt (subscriber_id, noted_at) VALUES (NEW.id, clock_timestamp())
    ON CONFLICT (subscriber_id) DO UPDATE SET noted_at = EXCLUDED.noted_at;
    RETURN NULL;
END $$;
CREATE TRIGGER subscriber_end_moved_back AFTER UPDATE OF expire_at ON subscriber
    FOR EACH ROW WHEN (NEW.expire_at < OLD.expire_at) EXECUTE FUNCTION access_doubt_note();
-- Those who are short already. A look at all of them, this once.
INSERT INTO access_doubt (subscriber_id, noted_at)
SELECT DISTINCT s.id, clock_timestamp() FROM subscriber s
JOIN subscription_activation a ON a.subscriber_id = s.id
WHERE a.state = 'applied' AND a.target_expire_at > s.expire_at
ON CONFLICT DO NOTHING;
"""
DOWN = """
DROP TRIGGER subscriber_end_moved_back ON subscriber;
DROP FUNCTION access_doubt_note();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("subscriptions", "0013_panel_place_session")]

    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="AccessDoubt",
            fields=[
                (
                    "subscriber",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="subscriptions.subscriber",
                    ),
                ),
                ("noted_at", models.DateTimeField(db_default=Now())),
            ],
            options={"db_table": "access_doubt", "default_permissions": ()},
        ),
        migrations.RunSQL(UP, DOWN),
    ]
