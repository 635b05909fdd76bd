"""Secrets as they lie in the database: encrypted, so that a copy of it signs nothing.

Fernet (AES-128-CBC with HMAC-SHA256, cryptography.io/en/latest/fernet) under a key derived from SECRET_KEY;
what was sealed under one of SECRET_KEY_FALLBACKS is still read, until the job webhooks.reseal_secrets has
sealed it anew.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

    _TextField = models.TextField[str | None, str | None]
else:
    _TextField = models.TextField

_PURPOSE = b"switchboard.webhooks.secrets"


def seal(text: str) -> str:
    """The text encrypted under the present key; each time another one."""
    return _box(settings.SECRET_KEY).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str | None:
    """The text, or None if it was sealed under a key that is no longer known."""
    return _opened(sealed, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def is_current(sealed: str) -> bool:
    """Whether it was sealed under the present key."""
    return _opened(sealed, settings.SECRET_KEY) is not None


# cryptography is loaded by the first who seals: it takes 20 MB, and most processes never need it.


def _opened(sealed: str, *keys: str) -> str | None:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415

    try:
        return _box(*keys).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


@lru_cache(maxsize=8)
def _box(*keys: str) -> "MultiFernet":
    """Seals with the first key, opens with all."""
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

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
