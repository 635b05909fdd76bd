"""Django's compilers for PostgreSQL; they say which cursors are for statements of theirs."""

from typing import Any, cast

from django.db.backends.postgresql import compiler
from django.db.models import Model

Selected = list[tuple[Any, tuple[str, Any], str | None]]

# What is selected where all columns of one table are, by model. Both are given out as copies: Django
# reads the columns themselves only.
_whole: dict[type[Model], Selected] = {}


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
    def get_select(self, with_col_aliases: bool = False) -> Any:
        """As of Django. Whole rows of one table are compiled once: it is half of such a statement."""
        if with_col_aliases or not _is_whole(self.query):
            return super().get_select(with_col_aliases)
        model = cast(type[Model], self.query.model)
        if model not in _whole:
            selected, _, _ = super().get_select()
            _whole[model] = selected
        selected = list(_whole[model])
        return selected, {"model": model, "select_fields": list(range(len(selected)))}, {}


def _is_whole(query: Any) -> bool:
    """Does it select all columns of its own table, under the table's name, and nothing else?"""
    if query.model is None:  # a query around a query
        return False
    options = query.model._meta
    return bool(
        query.default_cols
        and query.selected is None
        and not query.select_related
        and not query.annotation_select
        and not query.extra_select
        and not query.deferred_loading[0]
        and query.deferred_loading[1]
        and not options.parents
        and not query.combinator
        and query.get_initial_alias() == options.db_table
        and query.table_map
    )


class SQLInsertCompiler(_Compiled, compiler.SQLInsertCompiler):
    pass


class SQLDeleteCompiler(_Compiled, compiler.SQLDeleteCompiler):
    pass


class SQLUpdateCompiler(_Compiled, compiler.SQLUpdateCompiler):
    pass


class SQLAggregateCompiler(_Compiled, compiler.SQLAggregateCompiler):
    pass
