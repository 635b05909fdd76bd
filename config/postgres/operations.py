"""What Django asks the backend about SQL."""

from typing import Any

from django.db.backends.postgresql import operations
from psycopg import ClientCursor, errors


class DatabaseOperations(operations.DatabaseOperations):
    """As of Django, with compilers of our own."""

    compiler_module = "config.postgres.compiler"

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """For tests and logs: with its values, also where the server has bound them."""
        if isinstance(getattr(cursor, "cursor", cursor), ClientCursor):
            return super().last_executed_query(cursor, sql, params)
        try:
            return str(self.compose_sql(sql, params))
        except errors.DataError:
            return sql
