"""What all processes have to know of the panel: its dialect, whether writes wait, who is asking it."""

from datetime import UTC, datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class PanelState(models.Model):
    """The one row about the panel. held_reason is empty while writes may go out (docs/panel.md)."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.CharField(max_length=40, default="", db_default="")
    dialect = models.CharField(max_length=8, default="", db_default="")
    seen_at = models.DateTimeField(null=True)  # the last answer about the version
    held_reason = models.CharField(max_length=300, default="", db_default="", blank=True)
    held_at = models.DateTimeField(null=True)
    # After a change of dialect the users are compared before anything is written: identity.py.
    is_identity_checked = models.BooleanField(default=True, db_default=True)
    released_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=150, default="", db_default="", blank=True)

    class Meta:
        db_table = "panel_state"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_panelstate", "Can let writes to the panel go on")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="panel_state_one"),
            models.CheckConstraint(
                condition=Q(held_reason="", held_at=None)
                | ~Q(held_reason="") & Q(held_at__isnull=False),
                name="panel_state_held_since",
            ),
        ]

    def __str__(self) -> str:
        return f"panel {self.version or 'not seen yet'}"


class PanelPlace(models.Model):
    """One of the places at the panel: whoever holds it makes one request. It frees itself in time."""

    number = models.SmallIntegerField(primary_key=True)
    token = models.BigIntegerField(default=0, db_default=0)  # grows with each taking: who holds it
    until = models.DateTimeField(default=LONG_AGO, db_default=LONG_AGO)
    session = models.IntegerField(
        null=True
    )  # pid of the backend that took it: gone with its holder

    class Meta:
        db_table = "panel_place"
        default_permissions = ()

    def __str__(self) -> str:
        return f"place {self.number}"


class PanelHint(models.Model):
    """A user about whom the panel told us something: it is read back, and then the row is gone."""

    panel_id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "panel_hint"
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["at"], name="panel_hint_at")]

    def __str__(self) -> str:
        return f"user {self.panel_id}"
