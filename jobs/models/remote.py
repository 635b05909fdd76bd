"""What outside workers tell while they hold a job."""

from typing import ClassVar

from django.db import models


class AttemptLine(models.Model):
    """A log line of an attempt that runs outside. At its end the lines move to its row.

    Lines of an attempt whose worker never came back stay here, and are forgotten after a day.
    """

    id = models.BigAutoField(primary_key=True)
    job_id = models.UUIDField()
    fence = models.BigIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=10)
    message = models.CharField(max_length=1000)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["job_id", "fence", "id"], name="jobs_attemptline_job"),
            models.Index(fields=["at"], name="jobs_attemptline_age"),
        ]

    def __str__(self) -> str:
        return self.message
