"""setWebhook, deleteWebhook and getWebhookInfo. Of updates only presses of buttons are sent."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.sandbox.telegram.errors import bad_request, too_many_requests
from tests.sandbox.telegram.params import Parameters

PORTS = frozenset({80, 88, 443, 8443})
_SECRET = re.compile(r"[A-Za-z0-9_-]*")
SECRET_LIMIT = 256
CALLS_GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a bot wants its updates."""

    url: str
    max_connections: int = 40
    ip_address: str = ""
    allowed_updates: tuple[str, ...] = ()
    secret: str = ""


class WebhookBook:
    """One webhook per bot. Answers are (result, description) as the envelope shows them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._set: dict[int, Webhook] = {}
        self._called_at: dict[int, float] = {}

    def set(
        self, bot_id: int, parameters: Parameters, now: float, *, is_limited: bool
    ) -> tuple[bool, str]:
        """Keep a new address. Raises ApiError 400, and 429 within a second of the last call."""
        url = parameters.text("url").strip()
        if not url:
            return self.delete(bot_id)
        webhook = _read(url, parameters)
        if is_limited and now - self._called_at.get(bot_id, -CALLS_GAP_S) < CALLS_GAP_S:
            raise too_many_requests(1)
        self._called_at[bot_id] = now
        if self._set.get(bot_id) == webhook:
            return True, "Webhook is already set"
        self._set[bot_id] = webhook
        return True, "Webhook was set"

    def delete(self, bot_id: int) -> tuple[bool, str]:
        if self._set.pop(bot_id, None) is None:
            return True, "Webhook is already deleted"
        return True, "Webhook was deleted"

    def of(self, bot_id: int) -> Webhook | None:
        """Where a bot wants its updates, if it has said so."""
        return self._set.get(bot_id)

    def known(self) -> dict[int, Webhook]:
        return self._set

    def put(self, bot_id: int, webhook: Webhook) -> None:
        """Take in one that was set before."""
        self._set[bot_id] = webhook

    def show(self, bot_id: int) -> dict[str, Any]:
        webhook = self._set.get(bot_id)
        shown: dict[str, Any] = {
            "url": webhook.url if webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": 0,
        }
        if webhook:
            shown["max_connections"] = webhook.max_connections
            if webhook.ip_address:
                shown["ip_address"] = webhook.ip_address
            if webhook.allowed_updates:
                shown["allowed_updates"] = list(webhook.allowed_updates)
        return shown


def _read(url: str, parameters: Parameters) -> Webhook:
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        raise bad_request("invalid webhook URL specified") from None
    if parts.scheme != "https":
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if not parts.hostname:
        raise bad_request("invalid webhook URL specified")
    if port not in PORTS:
        raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    secret = parameters.text("secret_token")
    if len(secret) > SECRET_LIMIT:
        raise bad_request("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    updates = parameters.nested("allowed_updates", "allowed updates") or []
    if not isinstance(updates, list) or not all(isinstance(name, str) for name in updates):
        raise bad_request("allowed_updates must be an Array of String")
    connections = parameters.integer("max_connections")
    return Webhook(
        url=url,
        max_connections=min(max(connections, 1), 100) if connections else 40,
        ip_address=parameters.text("ip_address"),
        allowed_updates=tuple(updates),
        secret=secret,
    )
