"""A service of others or of ours: how it stands, when it was away, and each look at it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class ServiceState(models.TextChoices):
    """What the last looks said."""

    UP = "up", "up"
    FAILING = "failing", "failing"  # once or twice in a row: may be a hiccup
    DOWN = "down", "down"  # three times in a row, or more
    OFF = "off", "not configured"  # there is no address or token, so nobody asks


class ServiceCheck(models.Model):
    """One service, by its name (monitoring/checks/known.py). Written by the checks only.

    since: of the state. watched_since: it has been looked at from then on, pauses apart. facts: what it
    said of itself, such as {"version": "3.3.2"}; kept from the last look that succeeded.
    """

    name = models.CharField(max_length=40, primary_key=True)
    state = models.CharField(max_length=8, choices=ServiceState.choices)
    since = models.DateTimeField()
    watched_since = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    ok_at = models.DateTimeField(null=True)
    latency_ms = models.FloatField(null=True)  # of the last look, whatever it said
    failures = models.PositiveIntegerField(default=0, db_default=0)  # in a row
    failed_at = models.DateTimeField(null=True)  # the last time
    error = models.TextField(default="", db_default="")  # of the last time
    facts = models.JSONField(default=dict, db_default={})

    class Meta:
        db_table = "service_check"
        verbose_name = "service"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_servicecheck", "Can have services checked now")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["up", "failing", "down", "off"]),
                name="service_check_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["up", "off"], failures=0)
                | Q(state__in=["failing", "down"], failures__gt=0),
                name="service_check_failures_fit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class ServiceOutage(models.Model):
    """A span in which a service did not answer, or in which nobody looked.

    It begins with the first look that failed, and ends with the first that did not.
    """

    class Kind(models.TextChoices):
        DOWN = "down", "no answer"
        REFUSED = "refused", "refused us"  # it answers, but not to our token
        UNWATCHED = "unwatched", "nobody looked"  # we were off

    id = models.BigAutoField(primary_key=True)
    service = models.ForeignKey(
        ServiceCheck, models.CASCADE, related_name="outages", db_index=False
    )
    kind = models.CharField(max_length=9, choices=Kind.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    looks = models.PositiveIntegerField(default=0, db_default=0)  # that failed
    error = models.TextField(default="", db_default="")  # of the last of them

    class Meta:
        db_table = "service_outage"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service"], condition=Q(ended_at=None), name="service_outage_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")),
                name="service_outage_forwards",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["service", "-id"], name="service_outage_latest"),
            models.Index(
                fields=["ended_at"], condition=Q(ended_at__isnull=False), name="service_outage_age"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} {self.kind} from {self.began_at:%Y-%m-%d %H:%M} UTC"


class ServiceSample(models.Model):
    """One look at one service. Partitioned by day (migrations/0001); kept for a week."""

    id = models.BigAutoField(primary_key=True)  # in the table the key is (at, id)
    at = models.DateTimeField()
    service = models.CharField(max_length=40)
    is_ok = models.BooleanField()
    latency_ms = models.FloatField(null=True)

    class Meta:
        managed = False
        db_table = "service_sample"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.service} at {self.at:%Y-%m-%d %H:%M} UTC"
