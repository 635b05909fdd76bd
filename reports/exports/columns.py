"""A column of an export: which value it has, and how that is written as CSV and as JSON.

The database writes the text of whole rows, so that Python only moves bytes: a million rows of 25 columns
take seconds instead of a minute.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import F, Func, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection"); the four after them
# are their full-width forms. Blanks before it do not help. As numbers, since comparing those is quickest.
_FORMULA = tuple(map(ord, "=+-@＝＋－＠"))
_CONTROLS = tuple(map(ord, "\t\r\n"))


class Kind(StrEnum):
    """What a value is."""

    TEXT = "text"
    ID = "id"  # a UUID
    NUMBER = "number"
    MONEY = "money"  # a decimal: text in JSON, so that nobody reads it as a float
    MOMENT = "moment"  # 2026-11-22T14:00:00Z
    FLAG = "flag"  # true, false
    LIST = "list"  # of texts
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    """help: what it means, for docs and people. is_usual: there unless columns are chosen."""

    name: str
    help: str
    value: str | Combinable
    kind: Kind = Kind.TEXT
    is_usual: bool = True

    @property
    def in_csv(self) -> Any:
        """The cell. Text is never a formula, numbers stay numbers."""
        value = _expression(self.value)
        if self.kind is Kind.TEXT:
            return Neutral(value)
        if self.kind is Kind.LIST:
            return Neutral(Func(value, function="array_to_string", template=_WITH_BLANKS))
        if self.kind in {Kind.FLAG, Kind.JSON}:
            return Cast(value, TextField())
        return _typed(value, self.kind)

    @property
    def in_json(self) -> Any:
        """The value of the key."""
        value = _typed(_expression(self.value), self.kind)
        return Cast(value, TextField()) if self.kind is Kind.MONEY else value


_WITH_BLANKS = "%(function)s(%(expressions)s, ' ')"


def _expression(value: str | Combinable) -> Any:
    return F(value) if isinstance(value, str) else value


def _typed(value: Any, kind: Kind) -> Any:
    if kind is Kind.MOMENT:
        return Moment(value)
    if kind is Kind.MONEY:
        return Func(value, function="trim_scale")
    return value


class Neutral(Func):
    """A text with an apostrophe before it if a spreadsheet would take it for a formula."""

    output_field = TextField()

    def as_sql(
        self,
        compiler: Any,
        connection: Any,
        function: str | None = None,
        template: str | None = None,
        arg_joiner: str | None = None,
        **extra_context: Any,
    ) -> tuple[str, tuple[Any, ...]]:
        del connection, function, template, arg_joiner, extra_context  # Django's signature
        text, params = compiler.compile(self.source_expressions[0])
        formulas, controls = ", ".join(map(str, _FORMULA)), ", ".join(map(str, _CONTROLS))
        sql = (
            f"CASE WHEN ascii(ltrim({text})) IN ({formulas}) OR ascii({text}) IN ({controls}) "
            f"THEN '''' || {text} ELSE {text} END"
        )
        return sql, tuple(params) * 4


class Moment(Func):
    """A moment in UTC, to the second, with its zone."""

    output_field = TextField()
    template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
