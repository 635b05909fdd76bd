"""Our own site on the servers of the bench: DEBUG off, tokens and tickets, as in production."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bench_venv import ROOT
from benchmarks.inbox.rivals import HOST, free_port, wait_listening
from benchmarks.processes import BenchFailed, Child
from benchmarks.servers import DATABASE, DATABASE_USER, Servers

PERMISSIONS = ("inbox.send_notification", "inbox.issue_ticket")
_SECRET = "of-the-bench-only-and-long-enough-for-the-check"


class Site:
    """A migrated database, and web processes on it (`python -m config.serve`, one is one pod)."""

    def __init__(self, servers: Servers, workspace: Path) -> None:
        self._servers = servers
        self._workspace = workspace
        self._pods = 0
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEBUG": "0",
            "SECRET_KEY": _SECRET,
            "ALLOWED_HOSTS": HOST,
            "SECURE_SSL_REDIRECT": "0",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "LOG_LEVEL": "INFO",
            "WS_TICKET_TTL": "5m",  # ten thousand are made at once, and used one after the other
        }
        self.python("manage.py", "migrate", "--verbosity", "0")
        permissions = [f"--permission={name}" for name in PERMISSIONS]
        said = self.python("manage.py", "create_service_account", "bench", *permissions)
        self.token = said.split()[-1]

    @contextlib.contextmanager
    def web(self, port: int) -> Iterator[Child]:
        """One web process that listens. Leaving the context stops it."""
        self._pods += 1
        env = {**self.env, "PORT": str(port), "POD_ID": f"bench-{self._pods}"}
        log = self._workspace / "switchboard.log"
        command = [sys.executable, "-m", "config.serve"]
        with Child(command, log=log, env=env, cwd=ROOT) as child:
            wait_listening(child, port)
            yield child

    @contextlib.contextmanager
    def webs(self, count: int) -> Iterator[tuple[list[Child], list[int]]]:
        """Several of them, with their ports."""
        with contextlib.ExitStack() as stack:
            ports = [free_port() for _ in range(count)]
            yield [stack.enter_context(self.web(port)) for port in ports], ports

    def value(self, query: str) -> Any:
        """The first value of a query."""
        with self._servers.postgres() as connection:
            row = connection.execute(query).fetchone()
        return None if row is None else row[0]

    def forget(self) -> None:
        """Nobody has any notification, in Postgres or in Redis."""
        with self._servers.postgres() as connection:
            rows = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'inbox\\_%'"
                " AND relname <> 'inbox_epoch'"
            ).fetchall()
            connection.execute(f"TRUNCATE {', '.join(name for (name,) in rows)}")
        with self._servers.redis() as client:
            client.flushall()

    def child(self, module: str, *arguments: str | Path, log: str) -> Child:
        """A program of ours beside the web processes."""
        return Child(
            [sys.executable, "-m", module, *arguments],
            log=self._workspace / log,
            env=self.env,
            cwd=ROOT,
        )

    def python(self, *arguments: str) -> str:
        """Run to the end and return what was printed. Raises BenchFailed if it fails."""
        done = subprocess.run(
            [sys.executable, *arguments], env=self.env, cwd=ROOT,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BenchFailed(f"{arguments!r} failed:\n{done.stderr}")
        return done.stdout

    def paths(self, people: Sequence[int]) -> list[str]:
        """The addresses of sockets, each with a fresh ticket; they hold for some seconds only."""
        said = self.python("-m", "benchmarks.inbox.tickets", json.dumps(list(people)))
        tickets: list[str] = json.loads(said.splitlines()[-1])
        return [f"/ws?ticket={ticket}" for ticket in tickets]

    def posted(self, **spec: Any) -> dict[str, Any]:
        """Run benchmarks.inbox.post_process with our token."""
        spec_json = json.dumps({"token": self.token, **spec})
        said = self.python("-m", "benchmarks.inbox.post_process", spec_json)
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
        return found
