"""The pages of this console are those of the jobs console, with templates of their own."""

from uuid import UUID

from django.http import Http404

from jobs.admin.pages import ConsoleAdmin
from lib.errors import NotFound
from notifications.webhooks.models import Delivery, Endpoint
from notifications.webhooks.selectors import delivery_get, endpoint_get


class WebhookConsole(ConsoleAdmin):
    folder = "webhooks"


def endpoint_or_404(endpoint_id: UUID) -> Endpoint:
    """The endpoint of a page."""
    try:
        return endpoint_get(endpoint_id)
    except NotFound as exc:
        raise Http404(exc.message) from None


def delivery_or_404(delivery_id: int) -> Delivery:
    """The delivery of a page."""
    try:
        return delivery_get(delivery_id) if delivery_id < 2**63 else _missing(delivery_id)
    except NotFound as exc:
        raise Http404(exc.message) from None


def _missing(delivery_id: int) -> Delivery:
    raise Http404(f"there is no webhook delivery {delivery_id}")
