"""Which web pages may open a socket here. Browsers send cookies with any page's WebSocket, so the
page's origin decides; who is not a browser sends none."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

_PORTS = {"http": 80, "https": 443}


def origin_ok(scope: Mapping[str, Any]) -> bool:
    """Whether the Origin header of a WebSocket request names this host, or one of WS_ORIGINS.

    WS_ORIGINS holds origins ("https://shop.example") or "*"; with it the own host is allowed too.
    """
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    if origin is None:
        return True
    text = origin.decode("latin-1").lower().rstrip("/")
    if "*" in settings.WS_ORIGINS or text in {
        each.lower().rstrip("/") for each in settings.WS_ORIGINS
    }:
        return True
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return False
    if parts.scheme not in _PORTS or not parts.hostname:
        return False
    host = headers.get(b"host", b"").decode("latin-1").lower()
    own = urlsplit(f"//{host}")
    try:
        return parts.hostname == own.hostname and own.port in {port, None}
    except ValueError:
        return False
