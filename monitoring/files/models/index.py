"""The index: what each file looked like when it was taken last."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.files.models.rule import Rule


class WatchedFile(models.Model):
    """One path of one rule. Its sha256 is that of the content whose change was recorded last."""

    class State(models.TextChoices):
        PRESENT = "present", "present"
        UNREADABLE = "unreadable", "unreadable"  # `problem` says why; taken once it can be read
        REFUSED = "refused", "refused"  # a link out of the directory, or no ordinary file
        DELETED = "deleted", "deleted"
        LEFT_OUT = "left_out", "left out"  # the rule was edited and does not match it any more

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="+")
    # Relative to the directory. Byte order, so that what lies below a directory is one range.
    path = models.TextField(db_collation="C")
    state = models.CharField(max_length=10, choices=State.choices)
    size = models.BigIntegerField(default=0)
    mtime_ns = models.BigIntegerField(default=0)
    ctime_ns = models.BigIntegerField(default=0)
    inode = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, null=True)  # null: never read
    problem = models.TextField(blank=True, default="")
    moved_to = models.TextField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)  # the last recorded change
    checked_at = models.DateTimeField()

    class Meta:
        db_table = "files_file"
        verbose_name = "watched file"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "path"], name="files_file_one_per_path")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["rule", "id"],
                condition=Q(state__in=["present", "unreadable", "refused"]),
                name="files_file_there",
            ),
            models.Index(fields=["rule", "-id"], name="files_file_rule"),
            models.Index(fields=["state", "-id"], name="files_file_state"),
            models.Index(fields=["rule", "state", "-id"], name="files_file_rule_state"),
            models.Index(
                fields=["checked_at"],
                condition=Q(state__in=["deleted", "left_out"]),
                name="files_file_gone",
            ),
        ]

    def __str__(self) -> str:
        return self.path
