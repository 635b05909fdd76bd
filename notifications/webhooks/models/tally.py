"""Counts for charts and metrics, so that nobody counts attempts."""

from typing import ClassVar

from django.db import models


class Tally(models.Model):
    """What an endpoint's attempts came to in five minutes, written with the attempts.

    Older than two weeks: in one row per endpoint. Rows outlive their endpoint, so that totals never
    shrink.
    """

    endpoint_id = models.UUIDField()
    at = models.DateTimeField()  # start of the five minutes
    delivered = models.BigIntegerField(default=0, db_default=0)
    failed = models.BigIntegerField(default=0, db_default=0)
    throttled = models.BigIntegerField(default=0, db_default=0)
    duration_ms = models.BigIntegerField(default=0, db_default=0)  # of all of them together

    class Meta:
        db_table = "webhook_tally"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint_id", "at"], name="webhook_tally_once")
        ]
        indexes: ClassVar = [models.Index(fields=["at"], name="webhook_tally_at")]

    def __str__(self) -> str:
        return f"{self.at:%F %R}: {self.delivered} of {self.delivered + self.failed}"
