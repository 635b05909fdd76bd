"""One watcher leads, others stand by. The lease is a row; the fence makes a former leader harmless."""

import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
from django.conf import settings
from django.db import transaction

from jobs import sql
from lib import clock
from lib.ids import uuid7
from monitoring.files.models import Watcher

LEASE = timedelta(seconds=10)
EXTEND_S = 2.0
SILENT = timedelta(seconds=30)  # without a beat for so long a watcher is held to be gone


@dataclass(frozen=True, slots=True)
class Self:
    """This process, as the tables know it."""

    id: str
    place: str
    pid: int
    born_at: float

    @classmethod
    def here(cls) -> "Self":
        pid = os.getpid()
        host = settings.POD_ID
        name = f"{host}:{pid}:{uuid7().hex[-6:]}"[-120:]
        return cls(name, _place(), pid, psutil.Process(pid).create_time())


def _place() -> str:
    """Where pids mean what they mean here: the machine, and the namespace of a container."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = "-"
    return f"{socket.gethostname()} {namespace}"[:200]


def leader_take(me: Self) -> int | None:
    """Lead, if nobody does. Returns the fence, or None while another one leads.

    A leader whose process is gone is replaced at once if it ran on this machine, else when its lease
    is over. Locks: the leader's row, so that no batch is written during the change.
    """
    with transaction.atomic():
        sql.run(
            """INSERT INTO files_leader (id, fence, watcher, place, pid, born_at, lease_until)
            VALUES (1, 0, '', '', 0, 0, '-infinity') ON CONFLICT DO NOTHING"""
        )
        held = sql.row(
            """SELECT watcher, place, pid, born_at, lease_until > clock_timestamp()
            FROM files_leader WHERE id = 1 FOR UPDATE"""
        )
        assert held is not None
        watcher, place, pid, born_at, is_leased = held
        if is_leased and not (place == me.place and not _lives(pid, born_at)):
            return None
        row = sql.row(
            """UPDATE files_leader SET fence = fence + 1, watcher = %s, place = %s, pid = %s,
            born_at = %s, lease_until = clock_timestamp() + %s WHERE id = 1 RETURNING fence""",
            [me.id, me.place, me.pid, me.born_at, LEASE],
        )
        assert row is not None
        if watcher:
            Watcher.objects.filter(pk=watcher).update(is_leading=False)
    return int(row[0])


def _lives(pid: int, born_at: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - born_at) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def leader_extend(fence: int) -> bool:
    """Keep the lease. False: somebody else leads by now."""
    return (
        sql.run(
            """UPDATE files_leader SET lease_until = clock_timestamp() + %s
            WHERE id = 1 AND fence = %s""",
            [LEASE, fence],
        )
        == 1
    )


def leader_yield(fence: int) -> None:
    """Let the next one lead at once."""
    sql.run(
        "UPDATE files_leader SET lease_until = '-infinity' WHERE id = 1 AND fence = %s", [fence]
    )


def watcher_start(me: Self) -> None:
    """Tell that this process is here."""
    now = clock.now()
    Watcher.objects.create(
        id=me.id, host=settings.POD_ID, pid=me.pid, version=settings.VERSION, started_at=now,
        beat_at=now,
    )  # fmt: skip


def watcher_beat(me: Self, *, is_leading: bool, rules: int) -> None:
    """Tell that this process lives, and what it does."""
    rss = psutil.Process(me.pid).memory_info().rss
    Watcher.objects.filter(pk=me.id).update(
        beat_at=clock.now(), is_leading=is_leading, rules=rules, rss_bytes=rss, stopped_at=None
    )


def watcher_stop(me: Self) -> None:
    """Tell that this process ends."""
    Watcher.objects.filter(pk=me.id).update(stopped_at=clock.now(), is_leading=False, rules=0)
