"""Where the data lies, who runs the servers, and whence the binaries come."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from psycopg.conninfo import conninfo_to_dict

from config import embedded
from config.embedded import programs
from config.embedded.layout import layout_of
from tests.config.embedded.processes import (
    IS_ROOT,
    LIBRARIES,
    NOBODY,
    PROJECT,
    User,
    assert_row_kept,
    ensure,
    keep_a_row,
    pids_of,
    sql,
    until,
)

pytestmark = pytest.mark.process

LONG = "long" * 30
AS_NOBODY: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": os.sep}


@pytest.mark.parametrize("name", ["a b%2F'c", LONG])
def test_addresses_lead_to_the_servers_from_any_directory(data_dir: Path, name: str) -> None:
    place = data_dir / name
    sockets = layout_of(place).sockets
    ensure(place)
    try:
        assert conninfo_to_dict(embedded.database_url(place))["host"] == str(sockets)
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 100
        assert sockets.is_relative_to(place) == (name != LONG)
        keep_a_row(place)
        assert_row_kept(place)
    finally:
        embedded.stop(place)
    until(lambda: not any(sockets.glob("*.sock")))


def test_a_socket_directory_of_a_stranger_is_refused(data_dir: Path) -> None:
    place = data_dir / LONG
    sockets = layout_of(place).sockets
    sockets.mkdir()
    sockets.chmod(0o777)
    try:
        with pytest.raises(embedded.ServersUnavailable, match="is not ours"):
            ensure(place)
    finally:
        sockets.rmdir()


def test_the_psql_command_can_be_pasted(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(data_dir)
    tools = data_dir / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    assert _pasted(embedded.psql_command(data_dir)) == b"switchboard\n"
    (tools / "psql").symlink_to(programs.postgres_programs() / "psql")
    assert shlex.split(embedded.psql_command(data_dir))[0] == str(tools / "psql")
    assert _pasted(embedded.psql_command(data_dir)) == b"switchboard\n"


def test_a_directory_out_of_reach_is_named(data_dir: Path) -> None:
    closed = data_dir.parent / "closed"
    closed.mkdir(mode=0o700 if IS_ROOT else 0o500)  # root may enter it, its servers may not
    before = closed.stat().st_mode
    with pytest.raises(embedded.ServersUnavailable, match=rf"(?i){closed}\b.* set DATA_DIR"):
        ensure(closed / "var")
    assert closed.stat().st_mode == before


def test_a_home_of_somebody_else_is_named(data_dir: Path, user: Callable[..., User]) -> None:
    if not IS_ROOT:  # then root's directories are the others
        with pytest.raises(embedded.ServersUnavailable, match="DATA_DIR"):
            ensure(Path(os.sep, "var", "lib", "switchboard-test"))
        return
    ensure(data_dir)
    stranger = user(stderr=subprocess.PIPE, **_as_nobody())
    assert stranger.process.stderr
    with stranger.process.stderr as said:
        assert "belongs to root: run this as root" in said.read()


def test_binaries_out_of_reach_are_copied(data_dir: Path, user: Callable[..., User]) -> None:
    closed = data_dir.parent / "packages"
    closed.mkdir(mode=0o700)
    for name in (programs.POSTGRES_PACKAGE, programs.POSTGRES_LIBRARIES, programs.REDIS_PACKAGE):
        (closed / name).symlink_to(LIBRARIES / name)
    paths = os.pathsep.join([str(closed), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    status = user(env={**os.environ, "PYTHONPATH": paths}).hear()
    home = layout_of(data_dir).programs if IS_ROOT else closed
    for pid in (status.postgres_pid, status.redis_pid):
        started_as = psutil.Process(pid).cmdline()[0].split()[0]  # Redis rewrites its arguments
        assert Path(started_as).is_relative_to(home)
    assert sql(data_dir, "SHOW server_version_num")[0][0].startswith("18")
    keep_a_row(data_dir)
    assert_row_kept(data_dir)


def test_redis_comes_from_path_where_there_is_no_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "packages" not in entry])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(embedded.ServersUnavailable, match="install Redis"):
        programs.redis_program()
    installed = tmp_path / "redis-server"
    installed.touch(mode=0o755)
    assert programs.redis_program() == installed


def test_an_ordinary_user_runs_the_servers_itself(
    data_dir: Path, user: Callable[..., User]
) -> None:
    if IS_ROOT:
        os.chown(data_dir.parent, NOBODY, NOBODY)
    status = user(**_as_nobody() if IS_ROOT else {}).hear()
    expected = NOBODY if IS_ROOT else os.geteuid()
    assert {psutil.Process(pid).uids().real for pid in pids_of(status)} == {expected}
    assert ensure(data_dir) == status  # root may join
    keep_a_row(data_dir)
    assert_row_kept(data_dir)


def _pasted(command: str) -> bytes:
    return subprocess.check_output(["/bin/sh", "-c", f"{command} -Atc 'SELECT current_user'"])


def _as_nobody() -> dict[str, Any]:
    """Options of a User that is not root, with a Python that it may run."""
    paths = os.pathsep.join([str(PROJECT), str(LIBRARIES)])
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": paths}
    return {**AS_NOBODY, "python": _open_python(), "env": environment}


def _open_python() -> str:
    """A Python of this version that everybody may run: root's own may lie in root's home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable, f"/usr/local/bin/{version}", f"/usr/bin/{version}"]
    for python in candidates:
        closed = subprocess.call(["/bin/sh", "-c", 'test -x "$0"', python], **AS_NOBODY)
        if not closed:
            return python
    raise AssertionError(f"this test needs a {version} that uid {NOBODY} may run")
