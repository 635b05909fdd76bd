"""User processes, and what can be said about the servers from outside."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from config import embedded

PROJECT = Path(__file__).resolve().parents[3]
LIBRARIES = Path(psutil.__file__).parents[1]
IS_ROOT = os.geteuid() == 0
NOBODY = 65534

# Says what runs, at first and for each line it reads; `fork` lets a child go on in its place.
USER = """
import dataclasses, json, os, pathlib, sys
from config import embedded
data_dir = pathlib.Path(sys.argv[1])
embedded.ensure(data_dir, postgres=True, redis=True)
while True:
    seen = dataclasses.asdict(embedded.status(data_dir))
    print(json.dumps({"pid": os.getpid(), **seen}), flush=True)
    word = sys.stdin.readline().strip()
    if not word or (word == "fork" and os.fork()):
        break
"""


class User:
    """A process of its own that uses the servers."""

    def __init__(self, data_dir: Path, *, python: str = sys.executable, **options: Any) -> None:
        self.process = subprocess.Popen(
            [python, "-c", USER, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **{"cwd": PROJECT, **options},
        )
        self.pid = self.process.pid

    def hear(self) -> embedded.Status:
        assert self.process.stdout
        said = json.loads(self.process.stdout.readline())
        self.pid = said.pop("pid")
        return embedded.Status(**said)

    def ask(self, word: str = "status") -> embedded.Status:
        assert self.process.stdin
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.hear()

    def leave(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def kill(self) -> None:
        self.process.kill()
        self.leave()


def ensure(data_dir: Path) -> embedded.Status:
    """Be a user in this very process."""
    embedded.ensure(data_dir, postgres=True, redis=True)
    return embedded.status(data_dir)


def sql(data_dir: Path, statement: str) -> Any:
    with psycopg.connect(embedded.database_url(data_dir), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def redis_client(data_dir: Path) -> redis.Redis:
    return redis.Redis.from_url(embedded.redis_url(data_dir), decode_responses=True)


def keep_a_row(data_dir: Path) -> None:
    sql(data_dir, "CREATE TABLE kept AS SELECT 7 AS n")
    with redis_client(data_dir) as client:
        client.config_set("appendfsync", "always")  # what counts here is the row, not the second
        client.set("kept", "7")


def assert_row_kept(data_dir: Path) -> None:
    assert sql(data_dir, "SELECT n FROM kept") == [(7,)]
    with redis_client(data_dir) as client:
        assert client.get("kept") == "7"


def until(condition: Callable[[], Any], within_s: float = 30) -> None:
    deadline, pause = time.monotonic() + within_s, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        pause.wait(0.02)


def pids_of(status: embedded.Status) -> set[int]:
    """All three, which must be there."""
    pids = {pid for pid in asdict(status).values() if pid}
    assert len(pids) == 3
    return pids


def assert_gone(status: embedded.Status) -> None:
    until(lambda: not any(_is_running(pid) for pid in pids_of(status)))


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # not every pid 1 reaps
    except psutil.NoSuchProcess:
        return False
