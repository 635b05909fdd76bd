"""What other programs are told of broadcasts, by webhook."""

from typing import Any

from notifications.broadcasts.models import Broadcast
from notifications.webhooks.services import event_emit
from notifications.webhooks.types import event_type_register

COMPLETED, FAILED = "broadcast.completed", "broadcast.failed"
_EXAMPLE = {
    "id": "01a2025e-0c3c-72d3-8e48-9ce144f165aa",
    "title": "Feature launch",
    "status": "sent",
    "channels": ["inbox", "telegram"],
    "total": 27,
    "sent": 24,
    "failed": 1,
    "skipped": 2,
    "unknown": 0,
    "started_at": "2026-11-22T12:00:00.412Z",
    "finished_at": "2026-11-22T12:00:03.087Z",
    "error": "",
}


def events_register() -> None:
    """Make the events known. Repeat-safe."""
    event_type_register(COMPLETED, "A broadcast has been sent to everybody", _EXAMPLE)
    event_type_register(
        FAILED,
        "A broadcast has reached nobody",
        {**_EXAMPLE, "status": "failed", "sent": 0, "failed": 25, "error": "nobody got it"},
    )


def broadcast_ended(row: Broadcast) -> None:
    """Tell that it has ended, in the transaction in which it does."""
    data: dict[str, Any] = {
        name: getattr(row, name)
        for name in (
            "title",
            "status",
            "channels",
            "total",
            "sent",
            "failed",
            "skipped",
            "unknown",
            "error",
        )
    }
    moments = {
        name: value.isoformat().replace("+00:00", "Z") if (value := getattr(row, name)) else None
        for name in ("started_at", "finished_at")
    }
    event_emit(
        COMPLETED if row.status == "sent" else FAILED,
        {"id": str(row.pk), **data, "channels": list(row.channels), **moments},
    )
