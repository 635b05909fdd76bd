"""The embedded Redis: settings and readiness."""

import signal
import socket
from pathlib import Path

from config.embedded.account import make_directory
from config.embedded.programs import redis_within_reach
from config.embedded.server import Server

PING_TIMEOUT_S = 0.5
OPTIONS = {
    "port": ["0"],
    "unixsocketperm": ["700"],
    "daemonize": ["no"],
    "appendonly": ["yes"],
    "appendfsync": ["everysec"],
    "save": [""],
    "maxmemory-policy": ["noeviction"],
    "always-show-logo": ["no"],
}


class Redis(Server):
    """Redis on a unix socket, with an append-only file synced each second."""

    name = "redis-server"
    stop_signals = (signal.SIGTERM,)

    @property
    def directory(self) -> Path:
        return self.layout.redis_data

    @property
    def pid_file(self) -> Path:
        return self.directory / "redis.pid"

    @property
    def log(self) -> Path:
        return self.layout.redis_log

    def hold(self) -> None:
        """Stop Redis and keep it away until release."""
        self.is_held = True
        self.stop()

    def release(self) -> None:
        """Let Redis run again."""
        self.is_held = False
        self.want()

    def _prepare(self) -> list[str]:
        make_directory(self.directory, self.account)
        options = {
            "unixsocket": [str(self.layout.redis_socket)],
            "dir": [str(self.directory)],
            "pidfile": [str(self.pid_file)],
            **OPTIONS,
        }
        words = [word for name, values in options.items() for word in (f"--{name}", *values)]
        return [str(redis_within_reach(self.layout, self.account)), *words]

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PING_TIMEOUT_S)
            try:
                client.connect(str(self.layout.redis_socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:  # not there yet; while it loads its file it answers -LOADING
                return False
