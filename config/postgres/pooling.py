"""Connections of the web process's pool."""

from typing import Any

from psycopg import Connection, Cursor
from psycopg.pq import TransactionStatus

from config.postgres.silence import is_silent


class PooledConnection(Connection[Any]):
    """One that a pool hands out without asking the server each time whether it is still there.

    The pool asks with an empty statement, once for each request: a quarter of what a webhook waits for.
    A server that has ended a connection has said so or closed it, and either can be read: while there
    is nothing to read, there is nothing to ask.
    """

    def execute(self, query: Any, *args: Any, **options: Any) -> Cursor[Any]:
        """As ever; an empty statement reaches the server only if that has said something."""
        if query == "" and self._is_silent():
            return self.cursor()
        return super().execute(query, *args, **options)

    def _is_silent(self) -> bool:
        if self.closed or self.info.transaction_status != TransactionStatus.IDLE:
            return False
        return is_silent(self.fileno())
