"""Who watches: one process leads, others stand by."""

from typing import ClassVar

from django.db import models


class Watcher(models.Model):
    """A process `manage.py watch_files`, unique per start."""

    id = models.CharField(max_length=120, primary_key=True)
    host = models.CharField(max_length=120)
    pid = models.IntegerField()
    version = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    is_leading = models.BooleanField(default=False)
    rules = models.IntegerField(default=0)  # that it watches now
    rss_bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "files_watcher"
        indexes: ClassVar = [models.Index(fields=["beat_at"], name="files_watcher_beat")]

    def __str__(self) -> str:
        return self.id


class Leader(models.Model):
    """One row: who may write changes. Whoever takes over raises the fence, and the former one,
    should it wake up again, can write no more."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    fence = models.BigIntegerField()
    watcher = models.CharField(max_length=120)
    place = models.CharField(max_length=200)  # machine and pid namespace, where `pid` has a meaning
    pid = models.IntegerField()
    born_at = models.FloatField()  # when that process started; a pid alone comes back
    lease_until = models.DateTimeField()

    class Meta:
        db_table = "files_leader"
        default_permissions: ClassVar = ()

    def __str__(self) -> str:
        return f"{self.watcher} since fence {self.fence}"
