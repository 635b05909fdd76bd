"""A rule with a threshold: its value now, what people changed of it, and its values lately."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class RuleCondition(models.TextChoices):
    """What the last measuring said."""

    OK = "ok", "fine"
    OVER = "over", "over the threshold"
    IDLE = "idle", "nothing to measure"  # said by the rule itself: too few runs, no token
    UNKNOWN = "unknown", "cannot be measured"  # it failed; whatever alert is open stays as it is
    OFF = "off", "switched off"


class RuleState(models.Model):
    """One rule, by its name (monitoring/checks/rules/all.py). A row comes with its first measuring.

    value is in the unit of the rule; null: there is none. parts: what it is made of, the worst first:
    [{"key", "title", "value", "text", "link"}]. memory: {key: {"looks": in a row over the threshold,
    "raised_at": ISO}} of what is or was over. threshold and cooldown: null is the setting's.
    """

    name = models.CharField(max_length=60, primary_key=True)
    condition = models.CharField(
        max_length=8, choices=RuleCondition.choices, default=RuleCondition.IDLE
    )
    since = models.DateTimeField(null=True)  # of the condition
    value = models.FloatField(null=True)
    text = models.CharField(max_length=500, default="", db_default="", blank=True)
    parts = models.JSONField(default=list, db_default=[])
    memory = models.JSONField(default=dict, db_default={})
    measured_at = models.DateTimeField(null=True)
    alerted_at = models.DateTimeField(null=True)  # the last alert that was opened
    held_back = models.PositiveIntegerField(default=0, db_default=0)  # by the cooldown, just now

    is_on = models.BooleanField(default=True, db_default=True)
    threshold = models.FloatField(null=True)
    cooldown = models.DurationField(null=True)
    changed_at = models.DateTimeField(null=True)
    changed_by = models.CharField(max_length=150, default="", db_default="", blank=True)

    class Meta:
        db_table = "rule_state"
        verbose_name = "rule"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("operate_rulestate", "Can switch rules and change their thresholds")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(condition__in=["ok", "over", "idle", "unknown", "off"]),
                name="rule_state_condition_known",
            ),
            models.CheckConstraint(
                condition=Q(threshold=None) | Q(threshold__gte=0), name="rule_state_threshold_sound"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.condition}"


class RuleSample(models.Model):
    """The value of a rule at one moment. Partitioned by day (migrations/0001); kept for a week."""

    id = models.BigAutoField(primary_key=True)  # in the table the key is (at, id)
    at = models.DateTimeField()
    rule = models.CharField(max_length=60)
    value = models.FloatField()

    class Meta:
        managed = False
        db_table = "rule_sample"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.rule} at {self.at:%Y-%m-%d %H:%M} UTC"
