"""Secrets as they lie in the database: encrypted, so that a copy of it signs nothing.

Fernet (AES-128-CBC with HMAC-SHA256, cryptography.io/en/latest/fernet) under a key derived from SECRET_KEY;
what was sealed under one of SECRET_KEY_FALLBACKS is still read, until the job webhooks.reseal_secrets has
sealed it anew.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str | None, str | None]
else:
    _TextField = models.TextField

_PURPOSE = b"switchboard.webhooks.secrets"


def seal(text: str) -> str:
    """The text encrypted under the present key; each time another one."""
    return _boxes(settings.SECRET_KEY)[0].encrypt(text.encode()).decode()


def unseal(sealed: str) -> str | None:
    """The text, or None if it was sealed under a key that is no longer known."""
    boxes = MultiFernet(_boxes(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    try:
        return boxes.decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def is_current(sealed: str) -> bool:
    """Whether it was sealed under the present key."""
    try:
        _boxes(settings.SECRET_KEY)[0].decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


@lru_cache(maxsize=8)
def _boxes(*keys: str) -> tuple[Fernet, ...]:
    return tuple(Fernet(_derived(key)) for key in keys)


def _derived(key: str) -> bytes:
    found = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return urlsafe_b64encode(found)


class SealedField(_TextField):
    """A text that is sealed in the database. None: it cannot be read (or the column is null).

    Nothing can be looked up by it. Saving None where it must not be null is refused by the database, so
    that what cannot be read is never overwritten by accident.
    """

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else seal(str(value))

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return None if value is None else unseal(value)
