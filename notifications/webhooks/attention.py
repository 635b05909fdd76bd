"""What of the webhooks needs a person now, for the first page of the console."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from jobs import sql
from lib import clock
from lib.now import Attention, Severity, attention
from notifications.webhooks.flow import WARN_AT
from notifications.webhooks.models import Endpoint, Lane

LATELY = timedelta(hours=24)
MOST = 1000  # failures are counted no further


@attention(order=14, permission="webhooks.view_endpoint")
def troubled_endpoints() -> Iterator[Attention]:
    """Endpoints that were switched off by themselves, or soon will be."""
    off = Endpoint.objects.filter(state=Endpoint.State.DISABLED).exclude(
        disabled_reason=Endpoint.Reason.PERSON
    )
    yield Attention(
        _many(count := off.count(), "webhook endpoint switched off"),
        count,
        Severity.CRITICAL,
        f"{_endpoints()}?condition=disabled",
        "It failed for too long, or said 410. Talk to its owner, then enable it and replay.",
    )
    patience = settings.WEBHOOK_PATIENCE * WARN_AT[0] / 100
    failing = Lane.objects.filter(
        failing_since__lt=clock.now() - patience, endpoint__state=Endpoint.State.ENABLED
    )
    yield Attention(
        _many(count := failing.count(), "webhook endpoint about to be switched off"),
        count,
        Severity.WARNING,
        f"{_endpoints()}?condition=failing",
        "Nothing has arrived there for days. See what it answers.",
    )


@attention(order=15, permission="webhooks.view_delivery")
def failed_deliveries() -> Attention:
    """Deliveries given up lately."""
    found = sql.row(
        """SELECT count(*) FROM (SELECT FROM webhook_delivery
        WHERE state = 'failed' AND finished_at >= %s LIMIT %s) q""",
        [clock.now() - LATELY, MOST],
    )
    count = int(found[0]) if found else 0
    return Attention(
        "failed webhook delivery" if count == 1 else "failed webhook deliveries",
        count,
        Severity.WARNING,
        f"{reverse('admin:webhooks_delivery_changelist')}?state=failed",
        "Given up in the last 24 hours. See why, then replay them.",
    )


def _endpoints() -> str:
    return reverse("admin:webhooks_endpoint_changelist")


def _many(count: int, what: str) -> str:
    return what if count == 1 else what.replace("endpoint", "endpoints")
