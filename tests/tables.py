"""What tests leave in the database: found after each of them, and taken away.

Django's flush knows the tables of managed models only, and a thread with a connection of its own may
commit while its test is rolled back.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from psycopg import sql

# Not "switchboard": who counts or ends the sessions of the site does not mean this one.
SESSION = "test tables"
# Who holds a row for longer is a transaction that its test has forgotten.
_LOCK_TIMEOUT = "30s"
_NAMES = """SELECT array_agg(relname::text ORDER BY relname) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND {}"""


class LeftBehindError(AssertionError):
    """A test has left rows to the next one."""


class Tables:
    """All tables of the test database as they are now, over a session of its own until `close`.

    What holds rows now was filled by migrations and their signals: a test that commits may change it,
    and `empty` puts it back. All others hold nothing between tests.
    """

    def __init__(self) -> None:
        self._session = psycopg.connect(
            **{
                **connection.get_connection_params(),
                "application_name": SESSION,
                "autocommit": True,
                "prepare_threshold": 0,
            }
        )
        names: list[str] = self._one(_NAMES.format("NOT relispartition"))
        self._partitions = set(self._one(_NAMES.format("relispartition")))
        self._watch(names)
        self.filled = self.left()
        self.watched = [name for name in names if name not in self.filled]
        self._watch(self.watched)
        for name in self.filled:
            self._session.execute(
                sql.SQL("CREATE TEMP TABLE {} AS TABLE {}").format(_kept(name), _own(name))
            )
        self._content = _content(self.filled).as_string()
        self._filling = self._one(self._content)
        self._shared: Counter[str] = Counter()
        self._lock = sql.SQL("LOCK TABLE {} IN SHARE MODE").format(_listed(names)).as_string()

    def left(self) -> list[str]:
        """The names of the tables that hold rows and should not."""
        found: list[str] = self._one("SELECT pg_temp.tables_left()")
        return found

    @contextmanager
    def shared(self, *names: str) -> Iterator[None]:
        """For the time of the block a server that outlives tests writes there by itself: nobody's fault."""
        assert set(names) <= set(self.watched)
        self._shared.update(names)
        try:
            yield
        finally:
            self._shared.subtract(names)
            self.empty()

    def check(self) -> None:
        """Nothing is left. Raises LeftBehindError with the names of the tables, emptied by then."""
        if found := [name for name in self.left() if not self._shared[name]]:
            self._truncate(found)
            raise LeftBehindError(f"rows were left in {', '.join(found)}")

    def empty(self) -> None:
        """Take away what was committed, once everybody who writes has ended the transaction."""
        with self._session.transaction():
            self._session.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            self._session.execute(self._lock)
            if found := self.left():
                self._truncate(found)
            if changed := self._changed():
                self._fill(changed)
            if made := set(self._one(_NAMES.format("relispartition"))) - self._partitions:
                self._session.execute(sql.SQL("DROP TABLE {}").format(_listed(sorted(made))))

    def close(self) -> None:
        self._session.close()

    def _watch(self, names: Sequence[str]) -> None:
        # A function keeps the plan of each question. As one statement, whose whole plan is thrown away
        # with any change of any table, this costs ten times as much.
        looks = [
            sql.SQL(
                "IF EXISTS (SELECT FROM {}) THEN v_found := v_found || {}::text; END IF;"
            ).format(_own(name), sql.Literal(name))
            for name in names
        ]
        self._session.execute(
            sql.SQL(
                """CREATE OR REPLACE FUNCTION pg_temp.tables_left() RETURNS text[]
                LANGUAGE plpgsql AS $$
                DECLARE v_found text[] := '{{}}';
                BEGIN {} RETURN v_found; END $$"""
            ).format(sql.SQL(" ").join(looks))
        )

    def _changed(self) -> list[str]:
        now = zip(self.filled, self._filling, self._one(self._content), strict=True)
        return [name for name, before, after in now if before != after]

    def _fill(self, names: Sequence[str]) -> None:
        # Foreign keys among them are Django's: looked at when the transaction ends.
        for name in names:
            self._session.execute(sql.SQL("DELETE FROM {}").format(_own(name)))
            self._session.execute(
                sql.SQL("INSERT INTO {} TABLE {}").format(_own(name), _kept(name))
            )
        ContentType.objects.clear_cache()

    def _truncate(self, names: Sequence[str]) -> None:
        self._session.execute(sql.SQL("TRUNCATE {} CASCADE").format(_listed(names)))

    def _one(self, question: str) -> Any:
        row = self._session.execute(question).fetchone()
        assert row is not None
        return row[0]


def _own(name: str) -> sql.Identifier:
    return sql.Identifier("public", name)


def _kept(name: str) -> sql.Identifier:
    return sql.Identifier("pg_temp", name)


def _listed(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(_own, names))


def _content(names: Sequence[str]) -> sql.Composed:
    """A number per table that changes with any row."""
    each = [
        sql.SQL("(SELECT sum(hashtextextended(t::text, 0)) FROM {} t)").format(_own(name))
        for name in names
    ]
    return sql.SQL("SELECT ARRAY[{}]").format(sql.SQL(", ").join(each))
