"""A list of values for a query that is compiled once (jobs/compiled.py), where `x__in` cannot stand."""

from typing import Any

from django.db.models import BooleanField, F, Func

from jobs.compiled import Param


class Among(Func):
    """Whether a column is one of the values that each call gives as a list by this name.

    Compiled(lambda: Notice.objects.filter(Among("pk", "ids"))).all(ids=[1, 2])
    """

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field: Any = BooleanField()

    def __init__(self, column: str, name: str) -> None:
        super().__init__(F(column), Param(name))
