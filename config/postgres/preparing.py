"""A cursor for what the ORM compiles: prepared by the server once it has come several times."""

from collections import OrderedDict
from typing import Any, Self
from weakref import WeakKeyDictionary

import psycopg

OFTEN = 10  # a statement that is rarer would cost a round trip and memory for nothing
REMEMBERED = 500  # statements of a connection whose calls are counted

_seen: WeakKeyDictionary[Any, OrderedDict[str, int]] = WeakKeyDictionary()


class PreparingCursor(psycopg.Cursor[Any]):
    """Its parameters are bound by the server.

    It counts by itself: psycopg would count the statements of other cursors, too, whose values stand
    in their text, so that each of them is new and pushes the others out.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """As of psycopg; whether to prepare is decided here."""
        options.setdefault("prepare", is_often(self.connection, str(query)))
        return super().execute(query, params, **options)


def is_often(connection: Any, query: str) -> bool:
    """Count a statement of a connection; says whether it has come so often that it is to be prepared."""
    seen = _seen.setdefault(connection, OrderedDict())
    count = seen[query] = seen.pop(query, 0) + 1
    if len(seen) > REMEMBERED:
        seen.popitem(last=False)
    return count > OFTEN
