"""The backend of the database: what is prepared, what is not, and connections that are believed."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.test.utils import CaptureQueriesContext

from config.postgres.base import TRUSTED_S
from config.postgres.preparing import OFTEN, REMEMBERED, is_often
from jobs import sql
from jobs.models import Breaker

pytestmark = pytest.mark.django_db


def prepared() -> list[str]:
    return [text for (text,) in sql.rows("SELECT statement FROM pg_prepared_statements")]


def test_what_the_orm_asks_often_is_prepared() -> None:
    Breaker.objects.create(name="shop")
    for _ in range(OFTEN):
        assert Breaker.objects.filter(name="shop").values_list("failures", flat=True).get() == 0
    assert not any("jobs_breaker" in text for text in prepared())
    Breaker.objects.filter(name="shop").update(failures=3)
    for _ in range(3):
        assert Breaker.objects.filter(name="shop").values_list("failures", flat=True).get() == 3
    found = [text for text in prepared() if "jobs_breaker" in text]
    assert len(found) == 1
    assert "$1" in found[0]


def test_what_is_written_by_hand_is_not_prepared() -> None:
    for number in range(OFTEN + 2):
        assert sql.row("SELECT %s, 'by hand'", [number]) == (number, "by hand")
    assert not any("by hand" in text for text in prepared())


def test_a_statement_that_is_streamed_is_not_prepared() -> None:
    Breaker.objects.create(name="stream")
    for _ in range(OFTEN + 2):
        assert [row.name for row in Breaker.objects.filter(name="stream").iterator()] == ["stream"]
    assert not any("jobs_breaker" in text and "DECLARE" in text for text in prepared())


def test_inserts_updates_and_deletes_work_prepared() -> None:
    for number in range(OFTEN + 3):
        row = Breaker.objects.create(name=f"b{number}", failures=number)
        row.failures += 1
        row.save(update_fields=["failures"])
        assert Breaker.objects.get(pk=row.pk).failures == number + 1
        assert row.delete()[0] == 1
    assert not Breaker.objects.filter(name__startswith="b").exists()


def test_a_test_that_asks_for_queries_sees_their_values() -> None:
    for _ in range(OFTEN + 2):
        with CaptureQueriesContext(connection) as seen:
            assert not Breaker.objects.filter(name="it's nobody").exists()
        assert "it''s nobody" in seen.captured_queries[0]["sql"]


def test_a_pooler_that_knows_no_prepared_statements_gets_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    for _ in range(OFTEN + 2):
        assert not Breaker.objects.filter(name="pooled").exists()
    assert not any("jobs_breaker" in text for text in prepared())


def test_counted_statements_do_not_grow_without_end() -> None:
    class Connection:
        pass

    one = Connection()
    assert [is_often(one, "SELECT 1") for _ in range(OFTEN + 1)] == [*[False] * OFTEN, True]
    for number in range(REMEMBERED):
        assert not is_often(one, f"SELECT {number}, 2")
    assert not is_often(one, "SELECT 1")  # forgotten meanwhile
    assert not is_often(Connection(), "SELECT 1")


@pytest.fixture
def own_connection(transactional_db: None) -> Iterator[Any]:
    """A connection beside that of the test, which may be ended."""
    other = connection.copy()
    other.connect()
    yield other
    other.close()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_well_a_moment_ago_is_not_asked(own_connection: Any) -> None:
    assert own_connection.is_usable()
    with CaptureQueriesContext(connection):
        before = _asked(own_connection)
        assert own_connection.is_usable()
        assert _asked(own_connection) == before
        own_connection._well_at = time.monotonic() - TRUSTED_S - 1
        assert own_connection.is_usable()
        assert _asked(own_connection) != before


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_has_ended_is_not_believed(own_connection: Any) -> None:
    assert own_connection.is_usable()
    pid = own_connection.connection.info.backend_pid
    sql.rows("SELECT pg_terminate_backend(%s, 10000)", [pid])
    assert not own_connection.is_usable()


@pytest.mark.django_db(transaction=True)
def test_a_connection_whose_statement_failed_is_asked(own_connection: Any) -> None:
    assert own_connection.is_usable()
    own_connection.set_autocommit(False)
    with own_connection.cursor() as cursor, pytest.raises(ProgrammingError):
        cursor.execute("SELECT nothing_like_it")
    assert not own_connection.is_usable()
    own_connection.rollback()
    assert own_connection.is_usable()


def _asked(other: Any) -> Any:
    """When the server last began a statement of a connection."""
    pid = other.connection.info.backend_pid
    return sql.row("SELECT query_start FROM pg_stat_activity WHERE pid = %s", [pid])
