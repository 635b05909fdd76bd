"""The servers live as long as somebody uses them."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import embedded
from config.embedded.layout import layout_of
from tests.config.embedded.processes import (
    User,
    assert_gone,
    assert_row_kept,
    ensure,
    keep_a_row,
    pids_of,
    redis_client,
    sql,
    until,
)

pytestmark = pytest.mark.process


def test_a_first_start_gives_a_durable_database_to_an_ordinary_role(data_dir: Path) -> None:
    first = ensure(data_dir)
    assert ensure(data_dir) == first
    names = ("fsync", "synchronous_commit", "jit", "TimeZone", "is_superuser", "max_connections")
    assert [sql(data_dir, f"SHOW {name}")[0][0] for name in names] == [
        *("on", "on", "off", "UTC", "off", "200")
    ]
    assert sql(data_dir, "SHOW server_version_num")[0][0].startswith("18")
    assert sql(data_dir, "SELECT current_user, current_database(), upper('ёж')") == [
        ("switchboard", "switchboard", "ЁЖ")
    ]
    sql(data_dir, "CREATE DATABASE test_switchboard")
    with redis_client(data_dir) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_only_what_is_wanted_starts(data_dir: Path) -> None:
    embedded.ensure(data_dir, postgres=False, redis=False)
    assert not data_dir.exists()
    embedded.ensure(data_dir, postgres=False, redis=True)
    assert embedded.status(data_dir).postgres_pid is None
    assert ensure(data_dir).postgres_pid


def test_six_processes_at_once_share_one_set_of_servers(user: Callable[..., User]) -> None:
    users = [user() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        seen = set(pool.map(User.hear, users))
    assert len(seen) == 1
    assert pids_of(seen.pop())


@pytest.mark.parametrize("end", [User.leave, User.kill])
def test_servers_stay_for_the_last_user_and_go_after_it(
    user: Callable[..., User], end: Callable[[User], None]
) -> None:
    first, last = user(), user()
    status = first.hear()
    assert last.hear() == status
    end(first)
    assert last.ask() == status
    end(last)
    assert_gone(status)


def test_a_fork_is_a_user_like_its_parent(user: Callable[..., User]) -> None:
    parent = user()
    status = parent.hear()
    assert parent.ask("fork") == status  # the child answers
    assert parent.process.wait() == 0
    assert parent.ask() == status
    os.kill(parent.pid, signal.SIGKILL)
    assert_gone(status)


def test_a_newcomer_waits_for_a_stop_and_starts_again(
    data_dir: Path, user: Callable[..., User]
) -> None:
    leaving = user()
    old = leaving.hear()
    assert old.postgres_pid
    os.kill(old.postgres_pid, signal.SIGSTOP)
    leaving.leave()
    until(lambda: not layout_of(data_dir).keeper_socket.exists())  # the keeper is stopping
    newcomer = user()
    os.kill(old.postgres_pid, signal.SIGCONT)
    assert not pids_of(old) & pids_of(newcomer.hear())


def test_a_stop_ends_the_servers_of_others_and_keeps_rows(
    data_dir: Path, user: Callable[..., User]
) -> None:
    status = user().hear()
    keep_a_row(data_dir)
    embedded.stop(data_dir)
    assert_gone(status)
    assert embedded.status(data_dir) == embedded.Status(None, None, None)
    embedded.stop(data_dir)
    ensure(data_dir)
    assert_row_kept(data_dir)
