"""Cohorts: people who began in the same month, and how many of them were there later."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class CohortKind(models.TextChoices):
    """By what people are put together."""

    JOINED = "joined", "joined in the same month"  # counts: who paid within 0, 7, 30, 90 days
    PAID = "paid", "paid first in the same month"  # counts: whose paid time covers day 30 * n after


class Cohort(models.Model):
    """The people of one month (UTC). Computed again each night; the same rows give the same counts.

    counts: see CohortKind; a null in it says that not everybody of the month is so far yet.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=6, choices=CohortKind.choices)
    month = models.DateField()  # its first day
    people = models.IntegerField()
    counts = models.JSONField()
    computed_at = models.DateTimeField()

    class Meta:
        db_table = "cohort"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "month"], name="cohort_once"),
            models.CheckConstraint(condition=Q(people__gte=0), name="cohort_people_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.month:%Y-%m}"
