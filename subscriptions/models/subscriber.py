"""A subscriber: the mirror of one user of the panel, and what only we know of him."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper

from subscriptions.models.plan import Plan


class PanelStatus(models.TextChoices):
    """Status in the panel (contracts/remnawave.md 2): only ACTIVE and DISABLED can be set."""

    ACTIVE = "ACTIVE", "active"
    DISABLED = "DISABLED", "disabled"
    LIMITED = "LIMITED", "out of traffic"
    EXPIRED = "EXPIRED", "expired"


class TrafficStrategy(models.TextChoices):
    """When the panel itself sets the traffic counter to zero."""

    NO_RESET = "NO_RESET", "never"
    DAY = "DAY", "daily"
    WEEK = "WEEK", "weekly"
    MONTH = "MONTH", "monthly"
    MONTH_ROLLING = "MONTH_ROLLING", "monthly, from the first day"


class CutBy(models.TextChoices):
    """Who disabled somebody: what we switched off comes back by paying, what an operator did does not."""

    NOBODY = "", "nobody"
    SWEEP = "sweep", "our sweep"
    BULK = "bulk", "a bulk operation"
    OPERATOR = "operator", "an operator, here"
    PANEL = "panel", "somebody in the panel"


class Subscriber(models.Model):
    """panel_* and the block below it belong to the panel and are written by the mirror only; the owner
    of each field stands in subscriptions/mirror/owners.py.

    panel_id is the numeric id that both dialects have, panel_uuid only v2. traffic in bytes.
    """

    id = models.BigAutoField(primary_key=True)
    panel_id = models.BigIntegerField(null=True, unique=True)
    panel_uuid = models.UUIDField(null=True, unique=True)
    short_uuid = models.CharField(max_length=64, default="", db_default="")
    username = models.CharField(max_length=36)
    status = models.CharField(max_length=8, choices=PanelStatus.choices)
    expire_at = models.DateTimeField()
    telegram_id = models.BigIntegerField(null=True)
    email = models.CharField(max_length=320, default="", db_default="")
    description = models.TextField(default="", db_default="")
    tag = models.CharField(max_length=16, default="", db_default="")
    traffic_limit_bytes = models.BigIntegerField(default=0, db_default=0)
    traffic_limit_strategy = models.CharField(
        max_length=13, choices=TrafficStrategy.choices, default=TrafficStrategy.NO_RESET
    )
    used_traffic_bytes = models.BigIntegerField(default=0, db_default=0)
    lifetime_traffic_bytes = models.BigIntegerField(default=0, db_default=0)
    device_limit = models.IntegerField(null=True)
    squads = ArrayField(models.UUIDField(), default=list, db_default=[])
    subscription_url = models.CharField(max_length=500, default="", db_default="")
    online_at = models.DateTimeField(null=True)
    first_connected_at = models.DateTimeField(null=True)
    last_node_uuid = models.UUIDField(null=True)
    last_traffic_reset_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    panel_created_at = models.DateTimeField(null=True)
    panel_updated_at = models.DateTimeField(null=True)

    # Ours.
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, related_name="subscribers")
    auto_renew = models.BooleanField(default=False, db_default=False)
    renew_currency = models.CharField(max_length=12, default="", db_default="")
    language = models.CharField(max_length=8, default="", db_default="")
    time_zone = models.CharField(max_length=64, default="", db_default="")
    cut_by = models.CharField(
        max_length=8, choices=CutBy.choices, default=CutBy.NOBODY, db_default="", blank=True
    )
    cut_reason = models.CharField(max_length=200, default="", db_default="")
    cut_at = models.DateTimeField(null=True)
    note = models.TextField(default="", db_default="", blank=True)

    mirrored_at = models.DateTimeField(db_default=Now())  # last seen in the panel
    missing_since = models.DateTimeField(null=True)  # a positive read said that it is gone
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "subscriber"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("operate_subscriber", "Can extend, enable, disable and reset subscribers"),
            ("change_subscriber", "Can edit what only we know of subscribers"),
        ]
        constraints: ClassVar = [
            # A deleted user's name may be given again.
            models.UniqueConstraint(
                fields=["username"],
                condition=Q(missing_since__isnull=True),
                name="subscriber_username_once",
            )
        ]
        # Besides: subscriber_search, on upper(username), made in migration 0002.
        indexes: ClassVar = [
            models.Index(
                fields=["expire_at", "id"],
                condition=Q(status__in=["ACTIVE", "LIMITED"], missing_since__isnull=True),
                name="subscriber_served",
            ),
            models.Index(
                fields=["expire_at", "id"],
                condition=Q(status="EXPIRED", missing_since__isnull=True),
                name="subscriber_expired",
            ),
            models.Index(
                fields=["expire_at", "id"],
                condition=Q(auto_renew=True, missing_since__isnull=True),
                name="subscriber_auto_renew",
            ),
            models.Index(fields=["status", "id"], name="subscriber_by_status"),
            models.Index(fields=["expire_at", "id"], name="subscriber_by_expiry"),
            models.Index(
                fields=["telegram_id", "id"],
                condition=Q(telegram_id__isnull=False),
                name="subscriber_of_chat",
            ),
            models.Index(fields=["short_uuid"], name="subscriber_short_uuid"),
            models.Index(fields=["plan", "id"], name="subscriber_of_plan"),
            models.Index(fields=["tag", "id"], name="subscriber_of_tag"),
            models.Index(fields=["online_at"], name="subscriber_online"),
            # What the list of the console is filtered by, and few have.
            models.Index(
                fields=["cut_by", "id"], condition=~Q(cut_by=""), name="subscriber_cut_by"
            ),
            models.Index(
                fields=["last_node_uuid", "id"],
                condition=Q(last_node_uuid__isnull=False),
                name="subscriber_on_node",
            ),
            models.Index(
                fields=["id"],
                condition=Q(missing_since__isnull=False),
                name="subscriber_gone",
            ),
            models.Index(
                fields=["expire_at", "id"],
                condition=Q(telegram_id__isnull=True, missing_since__isnull=True),
                name="subscriber_without_chat",
            ),
            models.Index(
                Upper("email"), F("id"), condition=~Q(email=""), name="subscriber_of_email"
            ),
        ]

    def __str__(self) -> str:
        return self.username
