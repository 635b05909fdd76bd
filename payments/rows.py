"""Payments read and locked, and the statements that write them, which come so often that they are
compiled and prepared once.
"""

from typing import Any
from uuid import UUID

from django.db import connection

from jobs.compiled import Compiled, Param
from lib.errors import NotFound
from payments.models import Payment

_FIELDS = Payment._meta.concrete_fields
_NAMES = [field.attname for field in _FIELDS]
COLUMNS = ", ".join(f"p.{field.column}" for field in _FIELDS)  # of a payment called p

_LOCKED = Compiled(lambda: Payment.objects.select_for_update(no_key=True).filter(pk=Param("id")))
_LOCKED_BY_NUMBER = Compiled(
    lambda: Payment.objects.select_for_update(no_key=True).filter(
        provider=Param("provider"), external_id=Param("number")
    )
)


def payment_from(row: tuple[Any, ...]) -> Payment:
    """The payment of a row that was read by its COLUMNS."""
    return Payment.from_db(connection.alias, _NAMES, row)


def payment_lock(payment_id: UUID) -> Payment:
    """The payment, locked until the transaction ends. Raises NotFound."""
    payment = _LOCKED.one(id=payment_id)
    if payment is None:
        raise NotFound(f"there is no payment {payment_id}")
    return payment


def payment_lock_of(provider: str, number: int, payload: str) -> Payment | None:
    """The payment of an invoice, locked: by its number, else by the order that its payload names."""
    payment = _LOCKED_BY_NUMBER.one(provider=provider, number=str(number))
    if payment is not None:
        return payment
    try:
        order = UUID(payload)
    except ValueError:
        return None
    return _LOCKED.one(id=order)
