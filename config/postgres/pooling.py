"""Connections of the web process's pool."""

import select
from typing import Any

from psycopg import Connection, Cursor
from psycopg.pq import TransactionStatus


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
        waiting = (
            select.poll()
        )  # select would refuse a number above 1023, and sockets are many here
        waiting.register(self.fileno(), select.POLLIN)
        return not waiting.poll(0)
