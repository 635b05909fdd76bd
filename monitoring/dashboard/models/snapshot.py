"""The last picture of the business, and the points that its charts are drawn of."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Snapshot(models.Model):
    """The one row that holds the last picture (monitoring.dashboard.picture says what is in it)."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    picture = models.JSONField()
    taken_at = models.DateTimeField()
    took_ms = models.FloatField(default=0, db_default=0)

    class Meta:
        db_table = "dashboard_snapshot"
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="dashboard_snapshot_one")
        ]

    def __str__(self) -> str:
        return f"picture of {self.taken_at:%Y-%m-%d %H:%M:%S} UTC"


class Point(models.Model):
    """What a chart needs of one picture; kept for POINTS_KEPT. Null: nobody knew at that moment.

    Rates are per second; queued: jobs that were due and waited.
    """

    at = models.DateTimeField(primary_key=True)
    users_online = models.IntegerField(null=True)
    bytes_per_s = models.FloatField(null=True)
    jobs_per_s = models.FloatField(null=True)
    queued = models.IntegerField(null=True)

    class Meta:
        db_table = "dashboard_point"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} UTC"
