"""Writing one row of a model by a statement that is compiled once; see jobs/compiled.py.

For rows that come many times a second. As `Model.save` without its signals, its search for parents,
and its question whether the row is there: the caller says what is to be done.
"""

from functools import lru_cache
from typing import Any, TypeVar, cast

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault

from jobs.compiled import rows_of

M = TypeVar("M", bound=Model)


def row_insert(row: M) -> M:
    """Insert a new row, and complete it by what the database has filled in: key and defaults.

    Raises what `save` would: IntegrityError, DataError; TypeError for an expression.
    """
    values = {
        field: field.pre_save(row, add=True)
        for field in _fields(type(row))
        if not (field.primary_key and row.pk is None)
    }
    given = {
        field: value for field, value in values.items() if not isinstance(value, DatabaseDefault)
    }
    statement, returned = _insert(type(row), tuple(given))
    found = rows_of(statement, [_stored(field, value) for field, value in given.items()])
    for field, value in zip(returned, found[0], strict=True):
        setattr(row, field.attname, _read(field, value))
    row._state.adding, row._state.db = False, "default"
    return row


def row_update(row: Model, *names: str) -> bool:
    """Write these fields of a row. Says whether the row is there. Raises as row_insert."""
    fields = tuple(_field(type(row), name) for name in names)
    values = [_stored(field, field.pre_save(row, add=False)) for field in fields]
    return bool(rows_of(_update(type(row), fields), [*values, row.pk]))


def _stored(field: Any, value: Any) -> Any:
    if hasattr(value, "resolve_expression"):
        raise TypeError(f"{field.name}: an expression is a matter of QuerySet.update")
    return field.get_db_prep_save(value, connection)


def _read(field: Any, value: Any) -> Any:
    for function in field.get_db_converters(connection):
        value = function(value, field, connection)
    return value


@lru_cache
def _fields(model: type[Model]) -> tuple[Any, ...]:
    return tuple(field for field in model._meta.concrete_fields if not field.generated)


@lru_cache
def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)


@lru_cache(maxsize=512)
def _insert(model: type[Model], given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    quote = cast(Any, connection.ops.quote_name)
    returned = tuple(each for each in model._meta.concrete_fields if each not in given)
    back = returned or (model._meta.pk,)
    return (
        f"INSERT INTO {quote(model._meta.db_table)} "
        f"({', '.join(quote(field.column) for field in given)}) "
        f"VALUES ({', '.join('%s' for _ in given)}) "
        f"RETURNING {', '.join(quote(field.column) for field in back)}"
    ), back


@lru_cache(maxsize=512)
def _update(model: type[Model], fields: tuple[Any, ...]) -> str:
    quote = cast(Any, connection.ops.quote_name)
    key = quote(model._meta.pk.column)
    written = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    return f"UPDATE {quote(model._meta.db_table)} SET {written} WHERE {key} = %s RETURNING {key}"
