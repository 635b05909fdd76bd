"""Who is connected, over all pods: the rows of inbox_client. They tell people; nothing is decided by them."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from notifications.inbox.models import Client

EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Here:
    """A socket that came."""

    client_id: str
    recipient_id: int
    user_id: int
    login: str
    device: str
    address: str | None
    user_agent: str
    connected_at: datetime


@dataclass(frozen=True, slots=True)
class Gone:
    """A socket that left."""

    client_id: str


@dataclass(frozen=True, slots=True)
class Everybody:
    """All sockets of the pod: after a start, or when others took it for dead."""

    here: tuple[Here, ...]


Note = Here | Gone | Everybody


def presence_write(notes: Sequence[Note]) -> None:
    """Keep the rows of this pod's sockets: notes in the order in which things happened. Safe to repeat."""
    anew = max((n for n, note in enumerate(notes) if isinstance(note, Everybody)), default=-1)
    here: dict[str, Here] = {}
    gone: list[str] = []
    for note in notes[max(anew, 0) :]:
        if isinstance(note, Everybody):
            here = {each.client_id: each for each in note.here}
        elif isinstance(note, Here):
            here[note.client_id] = note
        else:
            here.pop(note.client_id, None)
            gone.append(note.client_id)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        if anew >= 0:
            cursor.execute("DELETE FROM inbox_client WHERE pod_id = %s", [settings.POD_ID])
        if gone:
            cursor.execute("DELETE FROM inbox_client WHERE id = ANY(%s::uuid[])", [gone])
        if here:
            _insert(cursor, list(here.values()))


def clients() -> QuerySet[Client]:
    """Every open socket, the longest connected first."""
    return Client.objects.order_by("id")


def users(*, after: tuple[int, str] | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """People with a socket, in order of (user_id, login): {"user_id", "login", "connections", "pods"}."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT user_id, login, count(*), array_agg(DISTINCT pod_id ORDER BY pod_id)"
            " FROM inbox_client WHERE %s OR (user_id, login) > (%s, %s)"
            " GROUP BY user_id, login ORDER BY user_id, login LIMIT %s",
            [after is None, *(after or (0, "")), limit],
        )
        return [
            {"user_id": user_id, "login": login, "connections": count, "pods": pods}
            for user_id, login, count, pods in cursor.fetchall()
        ]


def _insert(cursor: Any, here: list[Here]) -> None:
    columns = list(zip(*(astuple(note) for note in here), strict=True))
    cursor.execute(
        "INSERT INTO inbox_client (id, recipient_id, user_id, login, device, address, user_agent,"
        " connected_at, seen_at, pod_id)"
        " SELECT t.*, t.connected_at, %s FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[],"
        " %s::text[], %s::text[], %s::inet[], %s::text[], %s::timestamptz[])"
        " AS t (id, recipient_id, user_id, login, device, address, user_agent, connected_at)"
        " ON CONFLICT (id) DO NOTHING",
        [settings.POD_ID, *(list(column) for column in columns)],
    )
