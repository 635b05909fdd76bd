"""The database connection of a thread after an interrupt."""

from django.db import connection


def connection_reset() -> None:
    """Drop the connection of this thread, whatever Django believes about it.

    An interrupt may hit Django between two steps of opening or closing a transaction. Used on, such a
    connection would write into a transaction that nobody commits, or never be opened again.
    """
    raw, connection.connection = connection.connection, None
    connection.in_atomic_block = False  # connect() sets the rest back
    if raw is not None:
        raw.close()
