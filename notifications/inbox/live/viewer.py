"""Who may follow the live console: staff with inbox.view_notification, or anybody with OPEN_IDENTITY."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import parse_cookie

from notifications.inbox.live.apart import apart

PERMISSION = "inbox.view_notification"


def may_view(user: Any) -> bool:
    """Whether this person sees the console. At most two queries."""
    return bool(settings.OPEN_IDENTITY or (user.is_staff and user.has_perm(PERMISSION)))


async def socket_may_view(scope: dict[str, Any]) -> bool:
    """The same for a WebSocket: who it is, the cookie of the session says. Reads the session anew."""
    if settings.OPEN_IDENTITY:
        return True
    key = parse_cookie(_header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME)
    return bool(key) and await apart(lambda: _session_may_view(key))


def _session_may_view(key: str | None) -> bool:
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    asking: Any = SimpleNamespace(session=store, META={})
    return may_view(get_user(asking))


def _header(scope: dict[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
