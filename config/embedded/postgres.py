"""The embedded PostgreSQL: cluster, settings, readiness."""

import logging
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from config.embedded.account import make_directory
from config.embedded.errors import ServersUnavailable
from config.embedded.programs import POSTGRES_MAJOR, postgres_within_reach
from config.embedded.server import Server

logger = logging.getLogger(__name__)

SHARED_MEMORY = Path(os.sep, "dev", "shm")
ENOUGH_SHARED_MEMORY_BYTES = 256_000_000  # containers often have 64 MB, too little for big reports
STATUS_LINE = 7  # of postmaster.pid, counted from 0: src/include/utils/pidfile.h of PostgreSQL 18

# The superuser is `postgres`. Ours is an ordinary role, as in production, that may also look at
# statistics, end its own sessions and checkpoint, which benchmarks and tests need.
FIRST_STATEMENTS = """\
CREATE ROLE switchboard LOGIN CREATEDB;
GRANT pg_monitor, pg_checkpoint, pg_signal_backend TO switchboard;
CREATE DATABASE switchboard OWNER switchboard;
"""

# Durable: what was committed survives. ALTER SYSTEM (as `postgres`) overrides a line for good.
SETTINGS = {
    "listen_addresses": "''",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "max_locks_per_transaction": "256",  # partitions take a lock each
    "shared_buffers": "'128MB'",
    "io_method": "sync",  # no io workers: three processes less
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "'1GB'",
    "checkpoint_timeout": "'15min'",
    "jit": "off",  # our queries are short
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # statements carry message texts
    "cluster_name": "'switchboard'",
}


class Postgres(Server):
    """PostgreSQL with one database and one role, both `switchboard`, on a unix socket."""

    name = "postgres"
    stop_signals = (signal.SIGINT, signal.SIGQUIT)  # fast, then immediate

    @property
    def directory(self) -> Path:
        return self.layout.postgres_data

    @property
    def pid_file(self) -> Path:
        return self.directory / "postmaster.pid"

    @property
    def log(self) -> Path:
        return self.layout.postgres_log

    def restart(self, mode: str) -> None:
        """Stop, fast or immediate (as in a crash), and start again."""
        self.stop(*((signal.SIGQUIT,) if mode == "immediate" else self.stop_signals))
        self.want()

    def _prepare(self) -> list[str]:
        programs = postgres_within_reach(self.layout, self.account)
        if not self.directory.exists():
            self._create_cluster(programs)
        version = (self.directory / "PG_VERSION").read_text().strip()
        if version != str(POSTGRES_MAJOR):
            raise ServersUnavailable(
                f"{self.directory} was written by PostgreSQL {version}, and this is"
                f" {POSTGRES_MAJOR}: dump it with the old version, or move it away."
            )
        self._forget_reused_pid()
        self._write_settings()
        return [str(programs / "postgres"), "-D", str(self.directory)]

    def _answers(self) -> bool:
        lines = self._pid_file_lines()
        return (
            len(lines) > STATUS_LINE
            and lines[0].strip() == str(self.pid)
            and lines[STATUS_LINE].strip() == "ready"
        )

    def _create_cluster(self, programs: Path) -> None:
        """Make the cluster beside its place and move it there when it is complete."""
        draft = self.directory.with_name(f"{self.directory.name}.new")
        if draft.exists():
            shutil.rmtree(draft)
        make_directory(draft, self.account)
        # The collation of PostgreSQL itself sorts alike on every machine and knows all letters.
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        identity = ("--username=postgres", "--auth=trust", "--encoding=UTF8")
        self.account.run([str(programs / "initdb"), "-D", str(draft), *identity, *locale])
        alone = ("--single", "-D", str(draft), "-c", "exit_on_error=on", "postgres")
        self.account.run([str(programs / "postgres"), *alone], FIRST_STATEMENTS)
        with (draft / "postgresql.conf").open("a") as settings:
            settings.write("include = 'switchboard.conf'\n")
        draft.rename(self.directory)
        # PostgreSQL syncs what is in the cluster. That the cluster is there is ours to keep.
        for directory in (self.layout.home, self.layout.data_dir, self.layout.data_dir.parent):
            _sync(directory)
        logger.info("created a cluster of PostgreSQL %d in %s", POSTGRES_MAJOR, self.directory)

    def _write_settings(self) -> None:
        settings = {
            **SETTINGS,
            "unix_socket_directories": "'{}'".format(str(self.layout.sockets).replace("'", "''")),
            "dynamic_shared_memory_type": dynamic_shared_memory(),
        }
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        path = self.directory / "switchboard.conf"
        path.write_text(
            "# Written at every start by config/embedded/postgres.py.\n" + "".join(lines)
        )
        path.chmod(0o644)

    def _forget_reused_pid(self) -> None:
        """Remove the pid file if its process is somebody else's, as after a container was renewed.

        PostgreSQL itself refuses to start then. Safe here: no postgres is left on this directory.
        A pid that does not exist is left to PostgreSQL, which also looks at the shared memory.
        """
        pid = self._recorded_pid()
        if pid is not None and psutil.pid_exists(pid):
            logger.warning("pid %d of postmaster.pid is another program's now", pid)
            self.pid_file.unlink()
        with suppress(FileNotFoundError):
            self.layout.postgres_socket.with_name(
                f"{self.layout.postgres_socket.name}.lock"
            ).unlink()


def dynamic_shared_memory() -> str:
    """`mmap` (files in the cluster) where /dev/shm is missing or small, else `posix`."""
    if sys.platform != "linux":
        return "posix"
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError:
        return "mmap"
    return "posix" if free >= ENOUGH_SHARED_MEMORY_BYTES else "mmap"


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
