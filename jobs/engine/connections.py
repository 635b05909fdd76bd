"""The database connection of a thread, after an interrupt that may have come at any moment.

Django may have been between two steps of opening or closing a transaction, psycopg amid an answer. Used
on, such a connection would write into a transaction that nobody commits, or never work again.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def connection_own() -> BaseDatabaseWrapper:
    """The connection of this thread itself: `django.db.connection` finds it anew at each access."""
    found: BaseDatabaseWrapper = connections[DEFAULT_DB_ALIAS]
    return found


def connection_state(own: BaseDatabaseWrapper) -> tuple[Any, ...]:
    """What must be the same after a job as before it."""
    raw = own.connection
    return (
        own.in_atomic_block,
        len(own.savepoint_ids),
        own.autocommit,
        None if raw is None else raw.pgconn.transaction_status,
    )


def connection_mend(own: BaseDatabaseWrapper, before: tuple[Any, ...]) -> None:
    """Drop the connection if it is not as it was."""
    if connection_state(own) != before:
        connection_reset()


def connection_reset() -> None:
    """Drop the connection, whatever Django believes about it."""
    raw, connection.connection = connection.connection, None
    connection.in_atomic_block = False  # connect() sets the rest back
    if raw is not None:
        raw.close()
