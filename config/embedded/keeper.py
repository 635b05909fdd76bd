"""The keeper: one small process per DATA_DIR that owns the servers.

It starts what users ask for, revives what crashed, and stops everything when the last user process
is gone. Users hold `users.lock` shared; the keeper tries it alone a few times a second, and once it
has it, a newcomer cannot get in before the servers are down. It speaks on a unix socket: one
connection, one JSON object each way. One thread, no Django.
"""

import json
import logging
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from config.embedded.account import (
    Account,
    check_reach,
    check_sockets,
    make_directory,
    server_account,
)
from config.embedded.errors import ServersUnavailable
from config.embedded.layout import Layout, layout_of
from config.embedded.locks import open_lock, same_file, try_lock, wait_lock
from config.embedded.postgres import Postgres
from config.embedded.redis import Redis
from config.embedded.server import Server, trim_log

logger = logging.getLogger(__name__)

HANDOVER_S = 60.0  # as long as an earlier keeper may take to stop its servers
IDLE_TICK_S = 0.25
BUSY_TICK_S = 0.01  # while somebody waits for a server
CALL_TIMEOUT_S = 1.0
BACKLOG = 512
LOG_CHECK_S = 60.0


class Keeper:
    """Owns both servers from its first call to its last user."""

    def __init__(self, layout: Layout, account: Account, listener: socket.socket) -> None:
        self.layout = layout
        self.postgres = Postgres(layout, account)
        self.redis = Redis(layout, account)
        self.servers: dict[str, Server] = {"postgres": self.postgres, "redis": self.redis}
        self.is_stopping = False
        self._listener = listener
        self._users = open_lock(layout.users_lock)
        self._waiting: list[tuple[socket.socket, list[Server]]] = []
        self._farewells: list[socket.socket] = []  # told that all is stopped, by our exit
        self._log_check_at = time.monotonic()

    def run(self) -> None:
        """Serve until the last user is gone or somebody says stop; then stop the servers."""
        try:
            while not self.is_stopping and not self._is_unused():
                self._take_call()
                for server in self.servers.values():
                    server.tick()
                self._answer_waiting()
                self._trim_logs()
        finally:
            self._close()

    def _is_unused(self) -> bool:
        if not same_file(self._users, self.layout.users_lock):
            logger.warning("%s was removed", self.layout.users_lock)
            return True
        return try_lock(self._users, shared=False)

    def _take_call(self) -> None:
        patience_s = BUSY_TICK_S if self._waiting else IDLE_TICK_S
        if not select.select([self._listener], [], [], patience_s)[0]:
            return
        connection, _ = self._listener.accept()
        connection.settimeout(CALL_TIMEOUT_S)
        try:
            with connection.makefile("rb") as lines:
                self._obey(connection, json.loads(lines.readline()))
        except (OSError, ValueError, KeyError) as exc:
            logger.warning("a call was not understood: %r", exc)
            connection.close()

    def _obey(self, connection: socket.socket, request: dict[str, Any]) -> None:
        """Do what is asked and answer, now or (if a server must come up first) later."""
        match request["do"]:
            case "want":
                servers = [self.servers[name] for name in request["servers"]]
                for server in servers:
                    server.want()
                self._waiting.append((connection, servers))
            case "status":
                for server in self.servers.values():
                    server.tick()
                pids = {f"{name}_pid": server.pid for name, server in self.servers.items()}
                _reply(connection, {**pids, "keeper_pid": os.getpid()})
                connection.close()
            case "restart_postgres":
                self.postgres.restart(request["mode"])
                self._waiting.append((connection, [self.postgres]))
            case "stop_redis":
                self.redis.hold()
                _reply(connection, {})
                connection.close()
            case "start_redis":
                self.redis.release()
                self._waiting.append((connection, [self.redis]))
            case "stop":
                self.is_stopping = True
                self._farewells.append(connection)
            case other:
                raise ValueError(other)

    def _answer_waiting(self) -> None:
        still: list[tuple[socket.socket, list[Server]]] = []
        for connection, servers in self._waiting:
            failure = next((server.failure for server in servers if server.failure), None)
            if failure is not None:
                _reply(connection, {"error": failure})
                connection.close()
            elif all(server.is_settled for server in servers):
                _reply(connection, {})
                connection.close()
            else:
                still.append((connection, servers))
        self._waiting = still

    def _trim_logs(self) -> None:
        if time.monotonic() >= self._log_check_at:
            self._log_check_at = time.monotonic() + LOG_CHECK_S
            for log in (self.layout.keeper_log, self.layout.postgres_log, self.layout.redis_log):
                trim_log(log)

    def _close(self) -> None:
        """Stop the servers, leave no socket behind. Callers that still wait see us hang up."""
        self._listener.close()
        with suppress(FileNotFoundError):
            self.layout.keeper_socket.unlink()
        for server in self.servers.values():
            server.signal_stop()  # all at once; `stop` waits, and a second signal changes nothing
        for server in self.servers.values():
            if server.pid is None:
                server.clear_leftovers()
            else:
                server.stop()
        if not self.layout.sockets.is_relative_to(self.layout.home):
            with suppress(OSError):  # not empty: a server that was killed left its socket
                self.layout.sockets.rmdir()
        logger.info("keeper %d ends", os.getpid())
        for connection in self._farewells:
            _reply(connection, {})  # and our exit hangs up


def become_keeper(data_dir: Path) -> None:
    """Turn this process into the keeper of data_dir, in the background.

    The calling process ends with code 0 as soon as the keeper listens. Raises ServersUnavailable.
    The servers' user and the directories it needs are settled here, once.
    """
    layout = layout_of(data_dir)
    account = server_account(layout)
    check_reach(layout, account)
    os.umask(0o077)
    lock = open_lock(layout.keeper_lock)
    if not wait_lock(lock, shared=False, deadline=time.monotonic() + HANDOVER_S):
        raise ServersUnavailable(f"An earlier keeper still holds {layout.keeper_lock}.")
    listener = _listen(layout, account)
    if os.fork():
        os._exit(0)  # whoever started us need not wait for us, nor bury us
    _detach(layout)
    keeper = Keeper(layout, account, listener)

    def stop(_number: int, _frame: FrameType | None) -> None:
        keeper.is_stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    logger.info("keeper %d of %s, servers run as %s", os.getpid(), layout.data_dir, account.name)
    keeper.run()


def _listen(layout: Layout, account: Account) -> socket.socket:
    make_directory(layout.sockets, account)
    check_sockets(layout)
    with suppress(FileNotFoundError):
        layout.keeper_socket.unlink()  # of a keeper that was killed: we hold its lock
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(layout.keeper_socket))
    listener.listen(BACKLOG)
    return listener


def _detach(layout: Layout) -> None:
    """Write to the log from here on, and hold on to no directory."""
    log = os.open(layout.keeper_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.chdir(os.sep)
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr
    )


def _reply(connection: socket.socket, answer: dict[str, Any]) -> None:
    with suppress(OSError):  # the caller may be gone
        connection.sendall(json.dumps(answer).encode() + b"\n")
