"""The backend of the database: what is prepared, what is not, and connections that are believed."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.db import DataError, ProgrammingError, connection
from django.db.backends.postgresql import compiler as compilers
from django.db.models import Exists, F, Model, OuterRef, QuerySet, Sum, Value
from django.test.utils import CaptureQueriesContext

from config.postgres.base import TRUSTED_S
from config.postgres.preparing import OFTEN, REMEMBERED, is_often
from jobs import sql
from jobs.models import Breaker, BreakerEvent

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


def test_a_moment_comes_in_utc_to_the_microsecond() -> None:
    moment = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=ZoneInfo("Europe/Moscow"))
    Breaker.objects.create(name="late", retry_at=moment)
    for found in (
        Breaker.objects.get(name="late").retry_at,
        sql.rows("SELECT retry_at FROM jobs_breaker WHERE name = 'late'")[0][0],
        next(Breaker.objects.filter(name="late").iterator()).retry_at,
    ):
        assert found == moment
        assert found is not None
        assert found.tzinfo is UTC


def test_a_moment_that_python_cannot_hold_is_refused() -> None:
    with pytest.raises(DataError):
        sql.row("SELECT 'infinity'::timestamptz")


def test_a_connection_with_a_zone_of_its_own_keeps_it() -> None:
    there = connection.copy()
    there.settings_dict["TIME_ZONE"] = "Europe/Moscow"
    try:
        with there.cursor() as cursor:
            cursor.execute("SELECT '2026-01-01 00:00:00+00'::timestamptz")
            (found,) = cursor.fetchone()
    finally:
        there.close()
    assert found.utcoffset() == timedelta(hours=3)


def plain_sql(rows: QuerySet[Model]) -> tuple[str, Any]:
    """As Django itself compiles it."""
    compiler = compilers.SQLCompiler(rows.query.clone(), connection, "default")
    return compiler.as_sql()


def test_whole_rows_are_asked_for_in_the_words_of_django() -> None:
    for model in apps.get_models():
        rows = model._default_manager.all()
        for asked in (
            rows,
            rows,  # from what was kept
            rows.filter(pk__isnull=False).order_by("-pk"),
            rows.order_by()[:3],
            rows.only("pk"),
            rows.defer(*[field.name for field in model._meta.concrete_fields][1:2]),
            rows.annotate(one=Value(1)),
            rows.filter(pk__in=model._default_manager.values("pk")),
            rows.filter(Exists(model._default_manager.filter(pk=OuterRef("pk")))),
            rows.values_list("pk"),
            rows.union(rows),
        ):
            assert asked.query.get_compiler("default").as_sql() == plain_sql(asked), model


def test_what_is_kept_of_a_table_is_not_changed_by_a_query() -> None:
    Breaker.objects.create(name="shop", failures=3)
    for _ in range(2):
        assert Breaker.objects.annotate(more=F("failures") + 1).get(name="shop").more == 4
        assert Breaker.objects.get(name="shop").failures == 3
        assert BreakerEvent.objects.select_related("breaker").first() is None


def test_a_query_around_a_query_is_counted() -> None:
    for number in range(3):
        Breaker.objects.create(name=f"b{number}", failures=number)
    assert Breaker.objects.order_by("name")[:2].aggregate(total=Sum("failures")) == {"total": 1}
    assert Breaker.objects.distinct().values("state").count() == 1
