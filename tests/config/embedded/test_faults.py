"""Servers and keepers that are killed, held away, restarted or damaged."""

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import redis

from config import embedded
from config.embedded import programs, server
from config.embedded.account import server_account
from config.embedded.layout import layout_of
from tests.config.embedded.processes import (
    User,
    assert_gone,
    assert_row_kept,
    ensure,
    keep_a_row,
    pids_of,
    redis_client,
    until,
)

pytestmark = pytest.mark.process


@pytest.mark.parametrize("name", ["postgres_pid", "redis_pid"])
def test_a_killed_server_is_revived(data_dir: Path, name: str) -> None:
    before = ensure(data_dir)
    killed = asdict(before)[name]
    keep_a_row(data_dir)
    os.kill(killed, signal.SIGKILL)
    until(lambda: asdict(embedded.status(data_dir))[name] not in {None, killed})
    assert embedded.status(data_dir).keeper_pid == before.keeper_pid
    ensure(data_dir)
    assert_row_kept(data_dir)


def test_a_killed_keeper_takes_its_servers_along_and_the_next_user_starts_new_ones(
    data_dir: Path, user: Callable[..., User]
) -> None:
    old = user().hear()
    keep_a_row(data_dir)
    assert old.keeper_pid
    os.kill(old.keeper_pid, signal.SIGKILL)
    new = ensure(data_dir)  # at once, while the old servers are still going
    assert_gone(old)
    assert not pids_of(old) & pids_of(new)
    assert_row_kept(data_dir)


def test_a_killed_keeper_leaves_nothing_running(data_dir: Path, user: Callable[..., User]) -> None:
    status = user().hear()
    assert status.keeper_pid
    os.kill(status.keeper_pid, signal.SIGKILL)
    assert_gone(status)


def test_servers_that_no_keeper_owns_are_replaced(data_dir: Path) -> None:
    ensure(data_dir)
    keep_a_row(data_dir)
    embedded.stop(data_dir)
    layout = layout_of(data_dir)
    as_account = server_account(layout).start_arguments()
    postgres = [str(programs.postgres_programs() / "postgres"), "-D", str(layout.postgres_data)]
    answering = ["--port", "0", "--unixsocket", str(layout.redis_socket)]
    own_files = ["--appendonly", "yes", "--pidfile", str(layout.redis_data / "redis.pid")]
    redis_server = [str(programs.redis_program()), *answering, *own_files]
    with (
        subprocess.Popen(postgres, cwd=layout.postgres_data, **as_account) as old_postgres,
        subprocess.Popen(redis_server, cwd=layout.redis_data, **as_account) as old_redis,
    ):
        until(layout.postgres_socket.exists)
        until(layout.redis_socket.exists)
        new = ensure(data_dir)
    assert not {old_postgres.pid, old_redis.pid} & pids_of(new)
    assert_row_kept(data_dir)


def test_a_restart_keeps_rows(data_dir: Path) -> None:
    before = ensure(data_dir)
    keep_a_row(data_dir)
    embedded.restart_postgres(data_dir)
    assert_row_kept(data_dir)
    between = embedded.status(data_dir)
    embedded.restart_postgres(data_dir, "immediate")
    assert_row_kept(data_dir)
    after = embedded.status(data_dir)
    assert len({before.postgres_pid, between.postgres_pid, after.postgres_pid}) == 3
    assert after.redis_pid == before.redis_pid


def test_a_redis_held_away_stays_away_until_it_is_let_back(data_dir: Path) -> None:
    ensure(data_dir)
    keep_a_row(data_dir)
    embedded.stop_redis(data_dir)
    assert ensure(data_dir).redis_pid is None  # a newcomer starts into the outage
    with redis_client(data_dir) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    embedded.start_redis(data_dir)
    assert_row_kept(data_dir)


def test_a_process_number_given_to_another_program_does_not_stop_a_start(data_dir: Path) -> None:
    ensure(data_dir)
    embedded.stop(data_dir)
    stale = layout_of(data_dir).postgres_data / "postmaster.pid"
    stale.write_text(f"{os.getppid()}\n/elsewhere\n")
    assert ensure(data_dir).postgres_pid


def test_a_damaged_cluster_is_reported_with_the_words_of_the_server(data_dir: Path) -> None:
    ensure(data_dir)
    embedded.stop(data_dir)
    (layout_of(data_dir).postgres_data / "global" / "pg_control").unlink()
    with pytest.raises(embedded.ServersUnavailable, match="pg_control"):
        ensure(data_dir)


def test_a_cluster_of_another_version_is_left_alone(data_dir: Path) -> None:
    ensure(data_dir)
    embedded.stop(data_dir)
    (layout_of(data_dir).postgres_data / "PG_VERSION").write_text("17\n")
    with pytest.raises(embedded.ServersUnavailable, match="written by PostgreSQL 17"):
        ensure(data_dir)


def test_a_half_made_cluster_is_made_again(data_dir: Path) -> None:
    draft = layout_of(data_dir).postgres_data.with_name("postgres.new")
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    assert ensure(data_dir).postgres_pid
    assert not draft.exists()


def test_a_removed_data_dir_ends_its_servers(data_dir: Path) -> None:
    old = ensure(data_dir)
    data_dir.rename(data_dir.with_name("removed"))
    assert_gone(old)
    assert not pids_of(old) & pids_of(ensure(data_dir))


def test_a_call_without_servers_says_so(data_dir: Path) -> None:
    with pytest.raises(embedded.ServersUnavailable, match="No servers run"):
        embedded.stop_redis(data_dir)


def test_a_log_that_grew_too_long_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "postgres.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old line\n")
        server.trim_log(log)
        assert log.read_bytes() == b"old line\n"
        monkeypatch.setattr(server, "LONGEST_LOG_BYTES", 4)
        server.trim_log(log)
        writer.write(b"new line\n")
    assert log.read_bytes() == b"new line\n"
    assert (tmp_path / "postgres.log.1").read_bytes() == b"old line\n"
