"""Where everything lies under DATA_DIR, and the addresses that follow from it. Starts nothing."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

# sun_path holds 108 bytes on Linux and 104 on macOS, with the closing NUL.
LONGEST_SOCKET_BYTES = 100
POSTGRES_SOCKET = ".s.PGSQL.5432"

# Not the temp dir of the environment: TMPDIR differs between a shell and cron, and both must meet.
SHORT_ROOT = Path(os.sep, "tmp")


@dataclass(frozen=True)
class Layout:
    """Every path of one DATA_DIR. data_dir is absolute, symlinks resolved."""

    data_dir: Path

    @property
    def home(self) -> Path:
        return self.data_dir / "embedded"

    @property
    def users_lock(self) -> Path:
        """Held shared by every process that uses the servers."""
        return self.home / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Held while one process starts a keeper."""
        return self.home / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper for life: there is one."""
        return self.home / "keeper.lock"

    @property
    def keeper_log(self) -> Path:
        return self.home / "keeper.log"

    @property
    def postgres_data(self) -> Path:
        return self.home / "postgres"

    @property
    def postgres_log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def redis_data(self) -> Path:
        return self.home / "redis"

    @property
    def redis_log(self) -> Path:
        return self.home / "redis.log"

    @property
    def programs(self) -> Path:
        """Copies of binaries that the servers' user cannot reach where they were installed."""
        return self.home / "programs"

    @property
    def sockets(self) -> Path:
        """The directory of all sockets, short enough for a socket address."""
        near = self.home / "run"
        if len(os.fsencode(near / POSTGRES_SOCKET)) <= LONGEST_SOCKET_BYTES:
            return near
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return SHORT_ROOT / f"switchboard-{digest}"

    @property
    def keeper_socket(self) -> Path:
        return self.sockets / "keeper.sock"

    @property
    def postgres_socket(self) -> Path:
        return self.sockets / POSTGRES_SOCKET

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"


def layout_of(data_dir: Path) -> Layout:
    return Layout(data_dir.expanduser().resolve())


def database_url(data_dir: Path) -> str:
    """The address of the embedded PostgreSQL, for psycopg. The same for every process, always."""
    host = quote(str(layout_of(data_dir).sockets), safe="")
    return f"postgresql://switchboard@/switchboard?host={host}"


def redis_url(data_dir: Path) -> str:
    """The address of the embedded Redis, for redis-py. The same for every process, always."""
    return f"unix://{quote(str(layout_of(data_dir).redis_socket))}?db=0"
