"""Writing the story of payments: one line for whatever happened, in the transaction of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser

from jobs.audit import Account
from lib import clock
from lib.context import correlation_id
from payments.models import PaymentEvent
from payments.words import SENTENCES


def event_write(
    payment_id: UUID, kind: str, *, data: Mapping[str, Any] | None = None, by: Account = None
) -> PaymentEvent:
    """Write one line of a payment's story.

    kind: one of payments.words.SENTENCES. data is JSON, amounts and moments as texts, never a secret.
    Raises LookupError for a kind without words. Repeat: each call writes a line.
    """
    if kind not in SENTENCES:
        raise LookupError(f"the story has no words for {kind!r}; add them to payments/words.py")
    return PaymentEvent.objects.create(
        payment_id=payment_id,
        at=clock.now(),
        kind=kind,
        data=dict(data or {}),
        actor=name_of(by),
        correlation_id=correlation_id.get() or None,
    )


def name_of(by: Account) -> str:
    """Who it is, for a column of a row; empty for the platform itself."""
    return by.get_username() if isinstance(by, AbstractBaseUser) else ""
