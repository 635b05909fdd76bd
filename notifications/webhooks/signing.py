"""Signatures of Standard Webhooks 1.0.0 (standardwebhooks.com, "Signature scheme": symmetric, v1)."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
_BYTES = 32  # the specification asks for 24 to 64


def secret_make() -> str:
    """A new signing secret: whsec_ and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def secret_is_valid(secret: str) -> bool:
    """Whether receivers can use it: whsec_ and 24 to 64 bytes in base64."""
    try:
        return secret.startswith(PREFIX) and 24 <= len(_key(secret)) <= 64
    except binascii.Error:
        return False


def signature(secret_list: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The webhook-signature header: one signature per live secret; a receiver needs one to fit.

    timestamp is in seconds since 1970 and stands in webhook-timestamp.
    """
    content = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(f"v1,{_sign(secret, content)}" for secret in secret_list)


def _sign(secret: str, content: bytes) -> str:
    return base64.b64encode(hmac.digest(_key(secret), content, hashlib.sha256)).decode()


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
