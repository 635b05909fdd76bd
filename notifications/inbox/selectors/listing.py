"""Who is connected, what waits, what has been: page by page, on indexes, nothing big is counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from jobs import sql
from notifications.inbox.models import Client

T = TypeVar("T")
K = TypeVar("K")
_BEYOND = 2**63 - 1  # every position is below


@dataclass(frozen=True, slots=True)
class Page(Generic[T, K]):
    """Some items, and the key after which the next page starts; None: this was the last."""

    items: list[T]
    after: K | None


@dataclass(frozen=True, slots=True)
class ConnectedUser:
    """A person with at least one open socket."""

    recipient_id: int
    user_id: int
    login: str
    connections: int
    devices: list[str]
    pods: list[str]
    connected_at: datetime
    unread: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A notification in a list. position: where it stands in the person's inbox, milliseconds."""

    recipient_id: int
    user_id: int
    login: str
    id: UUID
    position: int
    state: str
    message: str
    source: str
    created_at: datetime
    expires_at: datetime | None
    priority: int
    edition: int
    data: str | None  # JSON
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Unread:
    """What waits in all inboxes together."""

    notifications: int
    people: int


@dataclass(frozen=True, slots=True)
class Connected:
    """What is open on all pods together."""

    clients: int
    people: int


def clients_page(*, limit: int, after: UUID | None = None) -> Page[Client, UUID]:
    """Open sockets by their id. One query."""
    rows = Client.objects.order_by("-id")
    if after is not None:
        rows = rows.filter(pk__lt=after)
    return _page(list(rows[: limit + 1]), limit, lambda row: row.pk)


def users_page(*, limit: int, after: int = 0) -> Page[ConnectedUser, int]:
    """People with open sockets, by recipient id. One query."""
    rows = sql.rows(
        """
        SELECT c.recipient_id, c.user_id, c.login, c.connections, c.devices, c.pods, c.connected_at,
            coalesce(r.unread, 0)
        FROM (
            SELECT recipient_id, min(user_id) AS user_id, min(login) AS login,
                count(*) AS connections, min(connected_at) AS connected_at,
                coalesce(array_agg(DISTINCT device) FILTER (WHERE device <> ''), '{}') AS devices,
                array_agg(DISTINCT pod_id) AS pods
            FROM inbox_client WHERE recipient_id > %s
            GROUP BY recipient_id ORDER BY recipient_id LIMIT %s
        ) c LEFT JOIN inbox_recipient r ON r.id = c.recipient_id ORDER BY c.recipient_id
        """,
        [after, limit + 1],
    )
    return _page([ConnectedUser(*row) for row in rows], limit, lambda user: user.recipient_id)


def pending_page(*, limit: int, after: tuple[int, int] = (0, 0)) -> Page[Listed, tuple[int, int]]:
    """Unread notifications of all people, by (recipient id, position). One query."""
    found = _listed(
        "n.state = 'unread' AND (n.recipient_id, n.position) > (%s, %s)"
        " ORDER BY n.recipient_id, n.position LIMIT %s",
        "n.recipient_id, n.position",
        [*after, limit + 1],
    )
    return _page(found, limit, lambda each: (each.recipient_id, each.position))


def history_page(
    *, user_id: int, login: str, limit: int, before: int | None = None
) -> Page[Listed, int]:
    """The latest notifications of a person that ever were on a screen, newest first. One query."""
    found = _listed(
        "n.recipient_id = (SELECT id FROM inbox_recipient WHERE user_id = %s AND login = %s)"
        " AND n.position < %s ORDER BY n.position DESC LIMIT %s",
        "n.position DESC",
        [user_id, login, _BEYOND if before is None else before, limit + 1],
    )
    return _page(found, limit, lambda each: each.position)


def unread_total() -> Unread:
    """One query: the sum of what the rows of recipients know; no notification is counted."""
    found = sql.row(
        "SELECT coalesce(sum(unread), 0)::bigint, count(*) FROM inbox_recipient WHERE unread > 0"
    )
    return Unread(*found or (0, 0))


def connected_total() -> Connected:
    """One query. There are as many rows as open sockets, some ten thousands at the most."""
    found = sql.row("SELECT count(*), count(DISTINCT recipient_id) FROM inbox_client")
    return Connected(*found or (0, 0))


def _listed(where: str, order: str, params: Sequence[Any]) -> list[Listed]:
    """Limited before joined, so that a page is read from its index and nothing is sorted."""
    rows = sql.rows(
        f"""SELECT n.recipient_id, r.user_id, r.login, n.id, n.position, n.state, n.message, n.source,
            n.created_at, n.expires_at, n.priority, n.edition, n.data, n.read_at
        FROM (SELECT * FROM inbox_notification n WHERE {where}) n
        JOIN inbox_recipient r ON r.id = n.recipient_id ORDER BY {order}""",
        params,
    )
    return [Listed(*row) for row in rows]


def _page(rows: Sequence[T], limit: int, key: Any) -> Page[T, Any]:
    """rows: one more than the page holds, if there is one more."""
    page = list(rows[:limit])
    return Page(page, key(page[-1]) if len(rows) > limit else None)
