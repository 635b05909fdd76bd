"""Raw SQL in one call: the functions of jobs/migrations/sql are the core of the platform."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

Params = Sequence[Any] | Mapping[str, Any]


def rows(query: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """All rows of a query. JSON columns come as text."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def rows_of_both(query: str, params: Params = ()) -> tuple[list[tuple[Any, ...]], ...]:
    """The rows of each of two statements, sent as one: one transaction, one wait for the disk."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        first: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.nextset()
        second: list[tuple[Any, ...]] = cursor.fetchall()
    return first, second


def row(query: str, params: Params = ()) -> tuple[Any, ...] | None:
    """The first row of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found


def run(query: str, params: Params = ()) -> int:
    """Run a statement. Returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        count: int = cursor.rowcount
    return count
