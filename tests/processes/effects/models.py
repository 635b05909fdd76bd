"""What the jobs of these tests leave behind, for the invariant checker to read."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Left(models.Model):
    """Which job left it, in which try. Ordered by id: the order in which rows were written."""

    job_id = models.UUIDField()
    kind = models.CharField(max_length=80)
    key = models.CharField(max_length=160, blank=True)
    n = models.IntegerField(default=0)  # place within its key
    attempt = models.IntegerField()
    fence = models.BigIntegerField()
    pid = models.IntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class Effect(Left):
    """Written in the transaction of a job that is atomic: one per completed job, none otherwise."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["job_id"], name="effects_effect_job")]

    def __str__(self) -> str:
        return f"{self.key} {self.n}"


class Trace(Left):
    """Written at once: the function was entered, came to its end, or was interrupted by `mark`."""

    mark = models.CharField(max_length=20)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["job_id"], name="effects_trace_job")]

    def __str__(self) -> str:
        return f"{self.key} {self.n} {self.mark}"
