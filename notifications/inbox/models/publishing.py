"""What keeps the screens in step with the tables."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Outbox(models.Model):
    """The changes of one transaction that are committed, and perhaps not published yet."""

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(db_default=Now())
    recipient_ids = ArrayField(models.BigIntegerField())
    positions = ArrayField(models.BigIntegerField())  # one per recipient id

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"outbox {self.pk}"


class Epoch(models.Model):
    """One row: changes when history was lost, so that nobody goes on from where it no longer leads."""

    epoch = models.CharField(max_length=32)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="inbox_epoch_one")
        ]

    def __str__(self) -> str:
        return self.epoch
