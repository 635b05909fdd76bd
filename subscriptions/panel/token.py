"""What the panel's token says of itself. It is a JWT, and only its end is read; the panel checks it."""

import base64
import binascii
from datetime import UTC, datetime

import orjson


def token_expires_at(token: str) -> datetime | None:
    """When the panel will stop to accept it; None for one without an end, or that is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = orjson.loads(base64.urlsafe_b64decode(padded))
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
