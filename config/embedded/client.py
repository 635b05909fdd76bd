"""What our processes say to the keeper: give me servers, and, in tests, break them."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from config.embedded.account import check_sockets, make_home
from config.embedded.errors import ServersUnavailable
from config.embedded.layout import Layout, database_url, layout_of
from config.embedded.locks import exclusive, open_lock, same_file, wait_lock
from config.embedded.programs import postgres_programs

PATIENCE_S = 60.0
PROJECT_ROOT = Path(__file__).resolve().parents[2]

# One open users.lock per DATA_DIR. It stays open, and so locked, as long as this process or a fork
# of it lives: that is the whole registration, and SIGKILL cannot skip its end.
_marks: dict[Path, int] = {}


@dataclass(frozen=True)
class Status:
    """What a keeper runs now. None: not running."""

    postgres_pid: int | None
    redis_pid: int | None
    keeper_pid: int | None


def ensure(data_dir: Path, *, postgres: bool, redis: bool, timeout_s: float = PATIENCE_S) -> None:
    """Return once the wanted servers answer, started now or running already.

    They stay at least as long as this process lives. Safe to repeat, in threads and after a fork.
    A Redis that stop_redis holds away is not waited for. Raises ServersUnavailable.
    """
    asked = {"postgres": postgres, "redis": redis}
    wanted = [name for name, is_asked in asked.items() if is_asked]
    if not wanted:
        return
    layout, deadline = layout_of(data_dir), time.monotonic() + timeout_s
    make_home(layout)
    _mark_as_user(layout, deadline)
    _ask(layout, {"do": "want", "servers": wanted}, deadline, starts_keeper=True)


def status(data_dir: Path) -> Status:
    """Return the process ids of the keeper and its servers, and start nothing."""
    reply = _call(layout_of(data_dir), {"do": "status"}, time.monotonic() + PATIENCE_S)
    return Status(**reply) if reply else Status(None, None, None)


def stop(data_dir: Path, timeout_s: float = PATIENCE_S) -> None:
    """Stop the servers, in use or left by a dead keeper, and return when all is gone.

    This process is no user afterwards. Other users stay users: the next `ensure` starts again.
    """
    layout, deadline = layout_of(data_dir), time.monotonic() + timeout_s
    if not layout.home.exists():
        return
    _mark_as_user(layout, deadline)  # or a new keeper would leave before it hears us
    try:
        _ask(layout, {"do": "stop"}, deadline, starts_keeper=True)
    finally:
        mark = _marks.pop(layout.data_dir, None)
        if mark is not None:
            os.close(mark)


def restart_postgres(data_dir: Path, mode: Literal["fast", "immediate"] = "fast") -> None:
    """Stop PostgreSQL, cleanly or as a crash would, and return when it answers again."""
    _ask(layout_of(data_dir), {"do": "restart_postgres", "mode": mode})


def stop_redis(data_dir: Path) -> None:
    """Stop Redis and keep it away until start_redis. Returns when it is gone."""
    _ask(layout_of(data_dir), {"do": "stop_redis"})


def start_redis(data_dir: Path) -> None:
    """Bring back a Redis that stop_redis holds away. Returns when it answers."""
    _ask(layout_of(data_dir), {"do": "start_redis"})


def psql_command(data_dir: Path) -> str:
    """Return a command line for a shell: psql of this machine, else of the wheel."""
    psql = shutil.which("psql") or str(postgres_programs() / "psql")
    return shlex.join([psql, database_url(data_dir)])


def _mark_as_user(layout: Layout, deadline: float) -> None:
    """Hold users.lock. Waits for a keeper that is stopping: it lets nobody in before it is done."""
    mark = _marks.get(layout.data_dir)
    if mark is not None and same_file(mark, layout.users_lock):
        return
    _marks.pop(layout.data_dir, None)  # not closed: its number may be another file's by now
    while True:
        try:
            mark = open_lock(layout.users_lock)
        except PermissionError:
            raise _foreign(layout.users_lock) from None
        if not wait_lock(mark, shared=True, deadline=deadline):
            os.close(mark)
            raise ServersUnavailable(f"The servers take too long to stop: see {layout.keeper_log}.")
        if same_file(mark, layout.users_lock):
            if _marks.setdefault(layout.data_dir, mark) != mark:
                os.close(mark)  # another thread was faster
            return
        os.close(mark)  # DATA_DIR was removed and made again while we waited


def _ask(
    layout: Layout,
    request: dict[str, Any],
    deadline: float | None = None,
    *,
    starts_keeper: bool = False,
) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S if deadline is None else deadline
    while True:
        reply = _call(layout, request, deadline)
        if reply is not None:
            if "error" in reply:
                raise ServersUnavailable(reply["error"])
            return reply
        if not starts_keeper:
            raise ServersUnavailable(f"No servers run under {layout.data_dir}.")
        _start_keeper(layout, deadline)


def _call(layout: Layout, request: dict[str, Any], deadline: float) -> dict[str, Any] | None:
    """Send request, read until the keeper hangs up. None: there is no keeper, or it went away."""
    check_sockets(layout)
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise _too_slow(layout)
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.settimeout(left_s)
            connection.connect(str(layout.keeper_socket))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answer:
                line = answer.read()
        except (FileNotFoundError, ConnectionError):
            return None
        except PermissionError:
            raise _foreign(layout.keeper_socket) from None
        except TimeoutError:
            raise _too_slow(layout) from None
    return json.loads(line) if line else None


def _start_keeper(layout: Layout, deadline: float) -> None:
    """Start a keeper unless somebody else just did. Returns when it listens."""
    with exclusive(layout.start_lock, deadline=deadline):
        if _call(layout, {"do": "status"}, deadline) is not None:
            return
        search_path = [str(PROJECT_ROOT), os.environ.get("PYTHONPATH")]
        try:
            started = subprocess.run(  # noqa: S603 ourselves
                [sys.executable, "-m", "config.embedded", "keep", str(layout.data_dir)],
                check=False,
                cwd=PROJECT_ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search_path))},
                start_new_session=True,  # Ctrl-C in the terminal is for the users alone
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=max(0.0, deadline - time.monotonic()),
            )
        except subprocess.TimeoutExpired:
            raise _too_slow(layout) from None
    if started.returncode != 0:
        raise ServersUnavailable(started.stderr.strip().rpartition("\n")[2])


def _foreign(path: Path) -> ServersUnavailable:
    return ServersUnavailable(
        f"{path} belongs to another user: run this as that user,"
        " or set DATA_DIR to a directory of your own."
    )


def _too_slow(layout: Layout) -> ServersUnavailable:
    return ServersUnavailable(
        f"The embedded servers did not answer in time: see {layout.keeper_log}"
        f" and {layout.postgres_log}."
    )
