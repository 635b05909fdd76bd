"""Postgres restarts, crashes or drops its connections, under load."""

from collections.abc import Iterator
from typing import Literal

import pytest

from config import embedded
from tests.processes.cluster import Cluster
from tests.processes.load import Load
from tests.processes.site import Site

pytestmark = pytest.mark.process


@pytest.fixture
def load(site: Site, request: pytest.FixtureRequest) -> Iterator[Load]:
    load = Load(site, f"load-{abs(hash(request.node.name)) % 10**6}")
    load.start()
    yield load
    if load.is_alive():
        load.end()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_under_load_loses_nothing(
    site: Site, pool: Cluster, load: Load, mode: Literal["fast", "immediate"]
) -> None:
    before = pool.keepers()
    for _ in range(2):
        load.go_on()
        embedded.restart_postgres(site.data_dir, mode)
    load.go_on()
    load.end()
    assert pool.keepers() == before
    assert pool.lines("after death") == []


def test_a_storm_of_dropped_connections_loses_nothing(
    site: Site, pool: Cluster, load: Load
) -> None:
    before = pool.keepers()
    for _ in range(15):
        load.go_on(30)
        site.rows(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'switchboard' AND pid <> pg_backend_pid()"""
        )
    load.go_on()
    load.end()
    assert pool.keepers() == before
    assert pool.lines("after death") == []
