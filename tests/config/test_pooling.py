"""Connections that wait in a pool: handed out without a question, unless the server has ended them."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from config.postgres.pooling import PooledConnection
from config.settings.storage import DATABASES

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool() -> Iterator[ConnectionPool[PooledConnection]]:
    """As Django makes it."""
    given = connection.get_connection_params() | {"autocommit": True}
    made = ConnectionPool(
        kwargs={name: value for name, value in given.items() if name != "pool"},
        connection_class=PooledConnection,
        min_size=1,
        max_size=1,
        check=ConnectionPool.check_connection,
    )
    with made:
        yield made


def seen(pid: int) -> str:
    """What the server was last asked over a connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid])
        return str(cursor.fetchone()[0])


def test_a_connection_that_is_well_is_handed_out_without_a_question(
    pool: ConnectionPool[PooledConnection],
) -> None:
    with pool.connection() as taken:
        pid = taken.info.backend_pid
        taken.execute("SELECT 'the last'")
    with pool.connection() as again:
        assert again.info.backend_pid == pid
        assert seen(pid) == "SELECT 'the last'"


def test_a_connection_that_the_server_has_ended_is_replaced(
    pool: ConnectionPool[PooledConnection],
) -> None:
    with pool.connection() as taken:
        pid = taken.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with pool.connection() as other:
        assert other.info.backend_pid != pid
        assert other.execute("SELECT 1").fetchone() == (1,)


def test_a_closed_connection_is_asked_and_says_so(pool: ConnectionPool[PooledConnection]) -> None:
    with pool.connection() as taken:
        taken.close()
        with pytest.raises(psycopg.OperationalError):
            taken.execute("")


def test_the_pool_of_the_site_has_such_connections() -> None:
    from config.settings import storage

    assert storage._POOL["connection_class"] is PooledConnection
    assert DATABASES["default"]["CONN_HEALTH_CHECKS"] is True
