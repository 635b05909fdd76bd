"""What the inbox counted."""

from typing import ClassVar

from django.db import models


class Stat(models.Model):
    """Counts of one minute, written with the acts they count; folded together when older.

    Events: sent, acked, auto_cleared, recalled, replaced, updated, muted, deferred, fallback.
    Each transaction appends its own row, so that no two of them wait for each other.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()  # start of the minute
    event = models.CharField(max_length=12)
    count = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["at"], name="inbox_stat_at")]

    def __str__(self) -> str:
        return f"{self.at:%F %R} {self.event}: {self.count}"
