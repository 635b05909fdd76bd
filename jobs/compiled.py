"""Queries of the ORM that are compiled once, for what runs many times a second.

Django builds and compiles a query anew for each call, which costs 0.2 to 1 ms of processor time: more
than PostgreSQL takes to answer. Here that is done at the first call; a later one binds its values.

    _OPEN = Compiled(lambda: Payment.objects.filter(pk=Param("id"), state=State.CREATED))
    payment = _OPEN.one(id=payment_id)

What is not a Param stays as it was at the first call: `clock.now()` must be one. Values are bound by
the server, so they need the type of their column; `x__in=Param(...)` is not possible.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

from jobs.sql import Params

M = TypeVar("M", bound=Model)


class Param(Expression):
    """The place of a value that each call gives by this name."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=cast(Any, Field()))
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Itself as the parameter: a call finds it there."""
        return "%s", [self]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the compiler found. converters: place, functions and column of values to be converted."""

    sql: str
    params: tuple[Any, ...]
    is_locking: bool
    model: type[Model]
    own: slice  # the columns of the model itself
    names: list[str]
    annotated: list[tuple[str, int]]
    relations: list[Any]
    converters: list[tuple[int, list[Any], Any]]


class Compiled(Generic[M]):
    """A query for whole rows; `select_related`, `only`, annotations and locks go with it.

    Threads may share one. Raises TypeError for a value that it does not know or that is missing, and
    TransactionManagementError for a lock outside of a transaction.
    """

    def __init__(self, build: Callable[[], QuerySet[M]]) -> None:
        """build makes the query; it is called once, when it is first needed."""
        self._build = build
        self._plan: _Plan | None = None

    def all(self, **values: Any) -> list[M]:
        """All rows."""
        plan = self._plan or self._compile()
        return list(self._read(plan, values))

    def one(self, **values: Any) -> M | None:
        """The first row; for queries that find one row at most."""
        plan = self._plan or self._compile()
        return next(self._read(plan, values), None)

    def _read(self, plan: _Plan, values: dict[str, Any]) -> Iterator[M]:
        if plan.is_locking and not connection.in_atomic_block:
            raise TransactionManagementError("A row is locked within a transaction only.")
        for fetched in rows_of(plan.sql, bound(plan.params, values)):
            row = list(fetched)
            for place, functions, column in plan.converters:
                for function in functions:
                    row[place] = function(row[place], column, connection)
            found = plan.model.from_db("default", plan.names, row[plan.own])
            for relation in plan.relations:
                relation.populate(row, found)
            for name, place in plan.annotated:
                setattr(found, name, row[place])
            yield cast(M, found)

    def _compile(self) -> _Plan:
        query = self._build().query
        compiler = query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        shape = cast(dict[str, Any], compiler.klass_info)
        selected = cast(list[Any], compiler.select)
        own = slice(shape["select_fields"][0], shape["select_fields"][-1] + 1)
        converters = compiler.get_converters([column for column, *_ in selected])
        self._plan = _Plan(
            sql=sql,
            params=tuple(params),
            is_locking=query.select_for_update,
            model=shape["model"],
            own=own,
            names=[column.target.attname for column, *_ in selected[own]],
            annotated=list((compiler.annotation_col_map or {}).items()),
            relations=cast(Any, get_related_populators)(shape, selected, "default"),
            converters=[(place, *found) for place, found in converters.items()],
        )
        return self._plan


def bound(params: tuple[Any, ...], values: dict[str, Any]) -> list[Any]:
    """The parameters of a statement with the values of one call. Raises TypeError."""
    given = [each.name for each in params if isinstance(each, Param)]
    if values.keys() != set(given):
        raise TypeError(f"the values are {sorted(set(given))}, not {sorted(values)}")
    return [values[each.name] if isinstance(each, Param) else each for each in params]


def rows_of(query: str, params: Params) -> list[tuple[Any, ...]]:
    """The rows that a statement by hand gives back; its values are bound by the server.

    It is prepared once it comes often. A value that is used twice, or stands beside no column, needs
    its type: `%(now)s::timestamptz`.
    """
    with cast(Any, connection).prepared_cursor() as cursor:
        cursor.execute(query, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
