"""What tests of servers say often."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import requests
from django.conf import settings

from jobs import sql
from jobs.outcomes import Done, Outcome
from jobs.testing import job_perform
from lib import clock
from monitoring.alerts.services import alerts_open
from monitoring.nodes.models import Health, Node, NodeHour, NodeState

NL = UUID("7f0b2c6a-3d51-4b8e-9c1f-0a1b2c3d4e01")  # up, when the sandbox begins
DE = UUID("8a1c3d7b-4e62-4c9f-8d20-1b2c3d4e5f02")  # starting
FI = UUID("9b2d4e8c-5f73-4da0-9e31-2c3d4e5f6a03")  # disabled
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def perform(kind: str, **args: Any) -> Any:
    """The result of a job that ends well."""
    outcome: Outcome = job_perform(kind, **args)
    assert isinstance(outcome, Done), outcome
    return outcome.result


def look(after: timedelta = timedelta(0)) -> Any:
    """A look of the moment so long from now."""
    with clock.shift(after):
        return perform("monitoring.check_nodes")


def node(key: UUID = NL) -> Node:
    return Node.objects.get(pk=key)


def healths(key: UUID = NL) -> list[str]:
    """The spans of a server, the oldest first."""
    rows = NodeState.objects.filter(node=key).order_by("began_at", "pk")
    return list(rows.values_list("health", flat=True))


def opened(key: UUID = NL) -> list[str]:
    """The rules of the open alerts of a server."""
    return sorted(alerts_open().filter(key=str(key)).values_list("rule", flat=True))


def node_delete(key: UUID) -> None:
    """An operator of the panel deletes a server; our client never does."""
    answer = requests.delete(
        f"{settings.REMNAWAVE_URL}/api/nodes/{key}",
        headers={
            "Authorization": f"Bearer {settings.REMNAWAVE_API_TOKEN}",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "127.0.0.1",
        },
        timeout=10,
    )
    assert answer.status_code == 204, answer.text


def node_make(number: int = 1, **columns: Any) -> Node:
    """A server as a look may have left it, with its open span."""
    now = clock.now()
    given = {
        "uuid": UUID(int=number),
        "name": f"NL-{number}",
        "address": f"nl{number}.example.net",
        "country_code": "NL",
        "view_position": number,
        "health": Health.ONLINE,
        "health_since": now - DAY,
        "checked_at": now,
        "users_online": 50,
        **columns,
    }
    given.setdefault("seen_health", given["health"])
    given.setdefault("seen_since", given["health_since"])
    row = Node.objects.create(**given)
    NodeState.objects.create(node=row, health=row.health, began_at=row.health_since)
    return row


def state_make(row: Node, health: str, begin: timedelta, end: timedelta | None) -> NodeState:
    """A span that began so long ago, and ended so long ago."""
    now = clock.now()
    return NodeState.objects.create(
        node=row,
        health=health,
        began_at=now - begin,
        ended_at=None if end is None else now - end,
    )


def sample_make(key: UUID, at: datetime, **columns: Any) -> None:
    """A sample of a slot; it is taken as the slot begins."""
    given: dict[str, Any] = {
        "day_bytes": 0, "bytes": 300_000, "seconds": 300.0, "users_online": 50, **columns,
    }  # fmt: skip
    sql.run(
        """INSERT INTO node_sample (node_id, at, taken_at, day_bytes, bytes, seconds, users_online)
        VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        [key, at, given.get("taken_at", at), given["day_bytes"], given["bytes"], given["seconds"],
         given["users_online"]],
    )  # fmt: skip


def hour_make(row: Node, hour: datetime, users: float = 50, rate: float = 1_000_000) -> NodeHour:
    """An hour of a server with so many people and bytes per second."""
    return NodeHour.objects.create(
        node=row,
        hour=hour,
        bytes_sum=int(rate * 3600),
        rate_avg=rate,
        rate_max=rate,
        rate_min=rate,
        users_avg=users,
        users_max=round(users),
        samples=12,
    )
