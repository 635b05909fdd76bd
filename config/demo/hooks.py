"""Servers that are told of events: one that works, one that has to be told twice, one that is away."""

from django.conf import settings
from django.contrib.auth.models import User

from notifications.broadcasts.events import COMPLETED, FAILED
from notifications.conversations.events import PENDING
from notifications.webhooks.addresses import permits
from notifications.webhooks.endpoints import endpoint_create, endpoint_ping
from notifications.webhooks.models import EVERYTHING
from notifications.webhooks.types import TEST

HERE = "127.0.0.1"
AWAY = f"http://{HERE}:9/hooks"  # the discard port: nobody listens


def hooks_make(anna: User, olga: User) -> None:
    """Make the endpoints, with a test event for each. Not repeat-safe: it makes them again.

    Does nothing if this site may not send to this machine (WEBHOOK_PRIVATE_NETWORKS).
    """
    if not permits(HERE):
        return
    receiver = f"{settings.TELEGRAM_API_URL}/_sandbox/hooks"  # in the sandbox, beside its Telegram
    made = [
        endpoint_create(
            title="Shop", url=f"{receiver}/shop", event_types=[EVERYTHING], by=anna,
            description="The shop's own backend. Ask Dima.",
        ),
        endpoint_create(
            title="Customer care", url=f"{receiver}/flaky", event_types=[PENDING, TEST], by=anna,
            rate_per_minute=600, description="Says 503 at first and takes it the second time.",
        ),
        endpoint_create(
            title="Old partner", url=AWAY, event_types=[COMPLETED, FAILED, TEST], by=anna,
            timeout_s=5, description="Moved away without a word: nothing listens there.",
        ),
    ]  # fmt: skip
    for endpoint in made:
        endpoint_ping(endpoint_id=endpoint.pk, by=olga)
