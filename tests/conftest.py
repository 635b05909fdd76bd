"""What every test may use. Servers start with the first test that needs the database."""

import gc
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from django.conf import settings as active
from django.contrib.auth.models import Permission, User
from django.test import TransactionTestCase
from django_redis import get_redis_connection
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from config import embedded
from jobs import breakers, stats
from tests import rings
from tests.console import (
    admin,
    alice,
    anna,
    bob,
    carol,
    member,
    operator,
    person,
    queries,
    root,
    supporter,
)
from tests.sandbox.fixture import sandbox, sandbox_server
from tests.tables import Tables

__all__ = [
    "admin",
    "alice",
    "anna",
    "bob",
    "carol",
    "member",
    "operator",
    "person",
    "queries",
    "root",
    "sandbox",
    "sandbox_server",
    "supporter",
]

# Examples meet a real database on a busy machine: how long one takes says nothing about the code.
hypothesis_settings.register_profile("ours", deadline=None)
hypothesis_settings.load_profile("ours")

# Thousands of tests that are known, but not run yet, make each look for garbage a long one.
gc.set_threshold(20_000, 20, 20)

# A shell's background job inherits that SIGINT is ignored, and so would every program that a test starts
# and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


_TABLES = pytest.StashKey[Tables]()
_DB = {"db", "transactional_db"}


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # xdist would begin with the files of the most tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        rings.assign(item)
    items.sort(key=rings.place)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Half characters that a test logs cannot travel to the process that prints the report."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode())
        for title, text in report.sections
    ]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Function) -> Generator[None]:
    """A test that had the database leaves no rows to the next one, or fails."""
    try:
        yield
    finally:
        tables = item.config.stash.get(_TABLES, None)
        if tables and (item.get_closest_marker("django_db") or _DB & set(item.fixturenames)):
            tables.check()


@pytest.fixture(autouse=True)
def own_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No counts and no breakers of another test, and no thread that counts behind our back."""
    monkeypatch.setattr(stats, "_flusher", threading.Timer(0, stats.flush))  # never started
    monkeypatch.setattr(breakers, "_local", threading.local())
    stats._pending.clear()
    yield
    stats._pending.clear()


@pytest.fixture(scope="session")
def servers() -> None:
    """PostgreSQL and Redis, unless the environment has their addresses. They end with this process."""
    embedded.ensure(active.DATA_DIR, postgres=active.EMBEDDED_POSTGRES, redis=active.EMBEDDED_REDIS)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    servers: None, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """pytest-django's hook before the test database is made; each xdist worker has its own."""


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Tables]:
    """pytest-django's. From now on tests that commit end with tables as they are at this moment."""
    stash = request.config.stash
    with django_db_blocker.unblock():
        tables = stash[_TABLES] = Tables()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: tables.empty())
        yield tables
    del stash[_TABLES]
    try:
        tables.check()  # after the last test, which ends with the database
    finally:
        tables.close()


@pytest.fixture
def committed(transactional_db: None) -> None:
    """Real commits, seen by other connections. Afterwards the tables are as they were."""


@pytest.fixture
def clean_redis(servers: None) -> Iterator[None]:
    """No key of this worker before and after. The database of Redis is shared, the prefix is not."""
    _forget_keys()
    yield
    _forget_keys()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is ours, but on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@pytest.fixture
def redis_away(settings: Settings, closed_port: int) -> None:
    """A Redis that refuses every connection, for this test only."""
    cache = {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{closed_port}/0"}
    settings.CACHES = {"default": cache}


@pytest.fixture
def account(db: None) -> Callable[..., User]:
    """Make a user with permissions: account("worker", "jobs.lease_job", is_staff=True)."""

    def make(username: str = "somebody", *permissions: str, **fields: Any) -> User:
        user = User.objects.create_user(username, password="a-long-password", **fields)
        for name in permissions:
            app, codename = name.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
        return user

    return make


def _forget_keys() -> None:
    redis = get_redis_connection("default")
    keys = list(redis.scan_iter(f"{active.CACHES['default']['KEY_PREFIX']}:*", count=1000))
    if keys:
        redis.unlink(*keys)
