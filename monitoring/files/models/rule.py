"""A rule: which files of which directory, and what follows when they change."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Change(models.TextChoices):
    """What happened to a file."""

    ADDED = "added", "added"
    MODIFIED = "modified", "modified"  # other content; a touched timestamp is none
    MOVED = "moved", "moved"  # the same content under another name of the same rule
    DELETED = "deleted", "deleted"


CHANGES: tuple[str, ...] = tuple(Change.values)


class Rule(models.Model):
    """Files of one directory and the action for them. Edited by its services only.

    `version` grows with each edit: the watcher works on the version that it has read, or not at all.
    """

    name = models.CharField(max_length=100, unique=True)
    directory = models.TextField()  # absolute, within FILE_WATCH_ROOTS
    patterns = ArrayField(models.CharField(max_length=200))  # "*.csv", "2026/*.csv"
    is_recursive = models.BooleanField(default=False)
    debounce_ms = models.IntegerField()
    changes = ArrayField(models.CharField(max_length=10))  # of Change: those that count
    takes_existing = models.BooleanField(default=False)  # what lies there already counts as added
    action = models.CharField(max_length=40)  # a name of monitoring.files.actions
    options = models.JSONField(default=dict, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    version = models.IntegerField(default=1)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # What the watcher says.
    scan_wanted_at = models.DateTimeField(null=True, blank=True)  # a person asked for a look
    indexed_at = models.DateTimeField(
        null=True, blank=True
    )  # null: it was never looked at as it is
    scanned_at = models.DateTimeField(null=True, blank=True)  # the last look at all of it
    problem = models.TextField(blank=True, default="")  # why it cannot be watched
    problem_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, default="")  # what is left out, and why
    # Totals since the rule was made, for the console and the metrics.
    batches = models.BigIntegerField(default=0)
    files = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)  # lines within files

    class Meta:
        db_table = "files_rule"
        verbose_name = "file rule"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(debounce_ms__gte=50, debounce_ms__lte=600_000),
                name="files_rule_debounce_known",
            ),
            models.CheckConstraint(
                condition=Q(changes__contained_by=list(CHANGES)), name="files_rule_changes_known"
            ),
        ]
        permissions: ClassVar = [
            ("operate_rule", "Can pause, resume and scan file rules, and retry files")
        ]

    def __str__(self) -> str:
        return self.name
