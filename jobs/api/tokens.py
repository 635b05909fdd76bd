"""Lease tokens: who may speak for a lease. Opaque to the worker, unforgeable, worth one lease only.

base64url(job id 16 bytes, fence 8, lease seconds 2, MAC 16). The MAC is HMAC-SHA256 under a key
derived from SECRET_KEY; keys in SECRET_KEY_FALLBACKS are accepted, so that a rotation fences nobody.
"""

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from jobs.remote.leases import Held
from jobs.remote.outcomes import held_refusal

_FIELDS = struct.Struct(">16sQH")
_SALT = "jobs.api.lease_token"
_MAC_BYTES = 16
_LENGTH = 56  # characters


def token_make(held: Held) -> str:
    """The token of a lease; the same lease gives the same token."""
    fields = _FIELDS.pack(held.job_id.bytes, held.fence, round(held.span.total_seconds()))
    mac = _mac(fields, settings.SECRET_KEY)
    return urlsafe_b64encode(fields + mac).decode()


def token_read(token: str | None, job_id: UUID) -> Held:
    """The lease that a token speaks for. Raises LeaseFenced for any token but one of this job's."""
    held = _read(token or "")
    if held is None or held.job_id != job_id:
        raise held_refusal(job_id)
    return held


def _read(token: str) -> Held | None:
    if len(token) != _LENGTH or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token)
    except binascii.Error:
        return None
    fields, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    # One spelling per token: the decoder would let foreign characters pass.
    if len(fields) != _FIELDS.size or urlsafe_b64encode(raw).decode() != token:
        return None
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(constant_time_compare(mac, _mac(fields, key)) for key in keys):
        return None
    job, fence, seconds = _FIELDS.unpack(fields)
    return Held(UUID(bytes=job), fence, timedelta(seconds=seconds))


def _mac(fields: bytes, key: str) -> bytes:
    return salted_hmac(_SALT, fields, secret=key, algorithm="sha256").digest()[:_MAC_BYTES]
