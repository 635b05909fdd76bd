"""The backend as settings name it (ENGINE)."""

import time
from datetime import UTC
from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from config.postgres.moments import with_utc_loader
from config.postgres.operations import DatabaseOperations
from config.postgres.preparing import PreparingCursor
from config.postgres.silence import is_silent

TRUSTED_S = 10.0  # a connection that was well so shortly ago is not asked


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL for many short statements.

    What the ORM compiles is prepared once it has come several times over a connection: PostgreSQL then
    neither parses nor plans it anew, which is half of what a short statement costs there. SQL that is
    written by hand is bound by the client as ever, for its parameters often have no type of their own.

    Queries are kept only where a test asks for them (assertNumQueries, CaptureQueriesContext): with
    DEBUG Django writes every one out and keeps it, which in a worker costs more than the jobs.
    """

    ops_class = DatabaseOperations
    ops: DatabaseOperations

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.is_compiled = False  # the next cursor is for a statement of the ORM
        self._well_at = 0.0

    @property
    def queries_logged(self) -> bool:
        return bool(self.force_debug_cursor)

    def get_connection_params(self) -> dict[str, Any]:
        """As of Django, with a quicker loader of timestamps where they come in UTC."""
        found: dict[str, Any] = super().get_connection_params()
        if self.timezone == UTC:
            found["context"] = with_utc_loader(found["context"].adapters)
        return found

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor that may prepare, for the ORM; else, and where statements are streamed, Django's."""
        if name is not None or not self.is_compiled or self.connection.prepare_threshold is None:
            return super().create_cursor(name)
        return PreparingCursor(self.connection)

    def prepared_cursor(self) -> Any:
        """A cursor for hand-made statements that come often; their values are bound by the server."""
        was, self.is_compiled = self.is_compiled, True
        try:
            return self.cursor()
        finally:
            self.is_compiled = was

    def is_usable(self) -> bool:
        """Whether the connection lives. One that was well a moment ago is asked only if the server has
        said something meanwhile: a server that ends a connection says so, or closes it.
        """
        now = time.monotonic()
        if now - self._well_at < TRUSTED_S and not self.errors_occurred and self._is_silent():
            return True
        is_well = super().is_usable()
        self._well_at = now if is_well else 0.0
        return bool(is_well)

    def _is_silent(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            return False
        return is_silent(self.connection.fileno())
