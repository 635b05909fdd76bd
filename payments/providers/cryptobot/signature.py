"""Whether a webhook is from Crypto Pay: HMAC-SHA256 of the raw body, keyed by the hash of the token."""

import hashlib
import hmac

SIGNATURE_HEADER = "crypto-pay-api-signature"


def signature_of(raw: bytes, token: str) -> str:
    """The signature that a body bears: lower-case hex. Source: Crypto Pay API 1.5.2."""
    key = hashlib.sha256(token.encode()).digest()
    return hmac.new(key, raw, hashlib.sha256).hexdigest()


def signature_ok(raw: bytes, header: str | None, token: str) -> bool:
    """Whether the header belongs to this body, byte for byte. Takes the same time wherever it differs.

    False without a header or without a token: nobody can sign with what is not there.
    """
    if not header or not token:
        return False
    # Bytes: compare_digest raises TypeError for a text that is not ASCII, and anybody may send one.
    return hmac.compare_digest(
        signature_of(raw, token).encode(), header.strip().encode("utf-8", "replace")
    )
