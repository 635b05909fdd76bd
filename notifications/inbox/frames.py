"""What the server says over WebSocket, as JSON text. The names are those of the source document."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from notifications.inbox.positions import stream_id
from notifications.inbox.shapes import Row, Target

_OPTIONS = orjson.OPT_UTC_Z


def dump(kind: str, data: Any) -> str:
    """A frame of any type."""
    return orjson.dumps({"type": kind, "data": data}, option=_OPTIONS).decode()


def push_frame(row: Row) -> str:
    """A notification, with how it stands now."""
    return dump("notification.push", _shown(row))


def push_form(row: Row) -> Callable[[str, int], str]:
    """push_frame for many that differ in nothing but (notification_id, position)."""
    shown = _shown(row)
    del shown["notification_id"], shown["stream_id"]
    rest = orjson.dumps(shown, option=_OPTIONS).decode()[1:]
    begin = '{"type":"notification.push","data":{"notification_id":"'
    return lambda each_id, position: (
        f'{begin}{each_id}","stream_id":"{stream_id(position)}",{rest}}}'
    )


def payload_form(row: Row) -> Callable[[str, Target], str]:
    """The JSON kept under the key of a notification, for many that differ in nothing but
    (notification_id, target)."""
    said = {"message": row.message, "created_at": row.created_at, "source": row.source}
    rest = orjson.dumps(said, option=_OPTIONS).decode()[1:-1]

    def payload(each_id: str, target: Target) -> str:
        login = orjson.dumps(target[1]).decode()
        return f'{{"notification_id":"{each_id}",{rest},"target":{{"id":{target[0]},"login":{login}}}}}'

    return payload


def sync_frame(rows: Iterable[Row]) -> str:
    """The answer to sync.request; rows are oldest first."""
    return dump("sync.response", [_shown(row) for row in rows])


def read_ack_frame(notification_id: str, position: int) -> str:
    """A notification was read. position: of the notification itself."""
    return dump(
        "notification.read.ack",
        {"notification_id": notification_id, "stream_id": stream_id(position)},
    )


def update_frame(row: Row) -> str:
    """The text or the data of a notification changed. row.version is the position of that change."""
    return dump(
        "notification.update",
        {
            "notification_id": row.notification_id,
            "stream_id": stream_id(row.position),
            "message": row.message,
            "edition": row.edition,
            "data": _data(row),
            "position": stream_id(row.version),
        },
    )


def recall_frame(
    notification_id: str, reason: str, position: int, changed: int | None = None
) -> str:
    """A notification is to vanish. reason: recalled or replaced; changed: position of the change."""
    data = {
        "notification_id": notification_id,
        "stream_id": stream_id(position),
        "reason": reason,
    }
    if changed is not None:
        data["position"] = stream_id(changed)
    return dump("notification.recall", data)


def cleared_frame(notification_id: str, position: int, changed: int | None = None) -> str:
    """A notification expired unread. changed: position of the change."""
    data = {"notification_id": notification_id, "stream_id": stream_id(position)}
    if changed is not None:
        data["position"] = stream_id(changed)
    return dump("notification.auto_cleared", data)


def error_frame(code: str, message: str) -> str:
    """What the client sent cannot be used; the connection stays open."""
    return dump("error", {"code": code, "message": message})


def _shown(row: Row) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "notification_id": row.notification_id,
        "stream_id": stream_id(row.position),
        "message": row.message,
        "created_at": row.created_at,
        "source": row.source,
        "status": row.state,
        "read": row.state == "read",
        "expires_at": row.expires_at,
        "priority": row.priority,
        "edition": row.edition,
    }
    if row.data is not None:
        shown["data"] = _data(row)
    return shown


def _data(row: Row) -> orjson.Fragment | None:
    return None if row.data is None else orjson.Fragment(row.data)
