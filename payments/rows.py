"""Payments read and locked by hand-written statements: all money comes this way, and the ORM would
compile the same words each time.
"""

from typing import Any
from uuid import UUID

from django.db import connection, transaction

from jobs import sql
from lib.errors import NotFound
from payments.models import Payment

_FIELDS = Payment._meta.concrete_fields  # noqa: SLF001 - Django documents it as public
_NAMES = [field.attname for field in _FIELDS]
COLUMNS = ", ".join(f"p.{field.column}" for field in _FIELDS)  # of a payment called p

_LOCK = f"SELECT {COLUMNS} FROM payment p WHERE p.id = %s FOR NO KEY UPDATE"
_LOCK_BY_NUMBER = f"""
SELECT {COLUMNS} FROM payment p WHERE p.provider = %s AND p.external_id = %s FOR NO KEY UPDATE
"""


def payment_from(row: tuple[Any, ...]) -> Payment:
    """The payment of a row that was read by its COLUMNS."""
    return Payment.from_db(connection.alias, _NAMES, row)


def payment_lock(payment_id: UUID) -> Payment:
    """The payment, locked until the transaction ends. Raises NotFound."""
    payment = _locked(_LOCK, payment_id)
    if payment is None:
        raise NotFound(f"there is no payment {payment_id}")
    return payment


def payment_lock_of(provider: str, number: int, payload: str) -> Payment | None:
    """The payment of an invoice, locked: by its number, else by the order that its payload names."""
    payment = _locked(_LOCK_BY_NUMBER, provider, str(number))
    if payment is not None:
        return payment
    try:
        order = UUID(payload)
    except ValueError:
        return None
    return _locked(_LOCK, order)


def _locked(statement: str, *values: Any) -> Payment | None:
    if not connection.in_atomic_block:  # the lock would be gone before anybody looks at the row
        raise transaction.TransactionManagementError("a payment is locked in a transaction only")
    row = sql.row(statement, values)
    return None if row is None else payment_from(row)
