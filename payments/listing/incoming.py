"""The log of what came in: newest first, page by page, never counted."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from lib.errors import InputInvalid, NotFound
from payments.models import IncomingWebhook, Intake

PAGE = 50


@dataclass(frozen=True, slots=True)
class WebhookFilter:
    """Which deliveries; empty fields match all."""

    source: str = ""
    state: str = ""
    kind: str = ""
    event: str = ""
    object_ref: str = ""
    received_from: datetime | None = None
    received_to: datetime | None = None
    ids: tuple[int, ...] = ()

    def query(self) -> QuerySet[IncomingWebhook]:
        """The matching deliveries, newest first. Raises InputInvalid for a state that is none."""
        if self.state and self.state not in Intake.values:
            raise InputInvalid(f"state must be one of {', '.join(Intake.values)}")
        exact = {
            "source": self.source or None,
            "state": self.state or None,
            "kind": self.kind or None,
            "event": self.event or None,
            "object_ref": self.object_ref or None,
            "received_at__gte": self.received_from,
            "received_at__lt": self.received_to,
            "pk__in": self.ids or None,
        }
        given = {name: value for name, value in exact.items() if value is not None}
        return IncomingWebhook.objects.filter(**given).order_by("-pk")


@dataclass(frozen=True, slots=True)
class WebhooksPage:
    """Some deliveries without their bodies, and where the next page starts (None: the last)."""

    webhooks: list[IncomingWebhook]
    after: int | None
    looked_to: None = None  # what the shared table asks


def webhooks_page(
    where: WebhookFilter, *, after: int | None = None, size: int = PAGE
) -> WebhooksPage:
    """Those that match, older than `after`. One query; bodies are not read."""
    rows = where.query().defer("body", "headers")
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: size + 1])
    more = len(found) > size
    return WebhooksPage(found[:size], found[size - 1].pk if more else None)


def webhook_get(webhook_id: int) -> IncomingWebhook:
    """One of them. Raises NotFound."""
    row = IncomingWebhook.objects.filter(pk=webhook_id).first()
    if row is None:
        raise NotFound(f"there is no delivery {webhook_id}")
    return row


def webhooks_about(object_ref: str, size: int = 20) -> list[IncomingWebhook]:
    """The latest deliveries about one thing, such as payment:<id>."""
    return webhooks_page(WebhookFilter(object_ref=object_ref), size=size).webhooks
