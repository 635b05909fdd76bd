"""Django's compilers for PostgreSQL; they say which cursors are for statements of theirs."""

from typing import Any

from django.db.backends.postgresql import compiler


class _Compiled:
    """Mixed into each compiler."""

    connection: Any

    def execute_sql(self, *args: Any, **options: Any) -> Any:
        """As of Django, by a cursor that may prepare."""
        was, self.connection.is_compiled = self.connection.is_compiled, True
        try:
            return super().execute_sql(*args, **options)  # type: ignore[misc]
        finally:
            self.connection.is_compiled = was


class SQLCompiler(_Compiled, compiler.SQLCompiler):
    pass


class SQLInsertCompiler(_Compiled, compiler.SQLInsertCompiler):
    pass


class SQLDeleteCompiler(_Compiled, compiler.SQLDeleteCompiler):
    pass


class SQLUpdateCompiler(_Compiled, compiler.SQLUpdateCompiler):
    pass


class SQLAggregateCompiler(_Compiled, compiler.SQLAggregateCompiler):
    pass
