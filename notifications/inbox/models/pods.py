"""Web processes that hold sockets, those sockets, and what reached which of them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Pod(models.Model):
    """A web process. One that is silent is reaped with its clients."""

    pod_id = models.CharField(max_length=120, primary_key=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    address = models.CharField(max_length=200, blank=True, default="")
    connections = models.IntegerField(default=0, db_default=0)
    users = models.IntegerField(default=0, db_default=0)
    draining = models.BooleanField(default=False, db_default=False)
    version = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["beat_at"], name="inbox_pod_beat")]

    def __str__(self) -> str:
        return self.pod_id


class Client(models.Model):
    """One open socket. The table is unlogged: a crash of Postgres closes nothing but forgets them."""

    id = models.UUIDField(primary_key=True)
    pod_id = models.CharField(max_length=120)
    recipient_id = models.BigIntegerField()
    user_id = models.BigIntegerField()
    login = models.CharField(max_length=150)
    device = models.CharField(max_length=80, blank=True, default="")
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True, default="")
    connected_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["pod_id"], name="inbox_client_pod"),
            models.Index(fields=["recipient_id"], name="inbox_client_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}-{self.login} on {self.pod_id}"


class Push(models.Model):
    """Which sockets of one pod a notification reached. Written in batches; a crash may lose the last."""

    id = models.BigAutoField(primary_key=True)
    notification_id = models.UUIDField()
    pod_id = models.CharField(max_length=120)
    at = models.DateTimeField()
    devices = ArrayField(models.TextField())  # client ids

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["notification_id"], name="inbox_push_notification"),
            models.Index(fields=["at"], name="inbox_push_age"),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} by {self.pod_id}"


class UsedTicket(models.Model):
    """A ticket that has opened its one connection."""

    jti = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="inbox_usedticket_age")]

    def __str__(self) -> str:
        return str(self.jti)
