"""The message to whoever ordered an export."""

from datetime import UTC, datetime, timedelta

from notifications.telegram.kinds import (
    Message,
    choice,
    line,
    moment,
    number,
    optional,
    size,
    span,
    url,
)

_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

EXPORTS = (
    Message(
        "export_finished",
        "To who ordered an export: the link of its file, or why there is none.",
        {
            "state": choice("ready", "failed"),
            "type": choice("users", "payments", "servers", "audit"),
            "format": line,
            "rows": optional(number),
            "size": optional(size),
            "error": optional(line),
            "expires_at": optional(moment),
            "lasted": span,
            "url": url,
        },
        {
            "state": "ready",
            "type": "payments",
            "format": "csv.gz",
            "rows": 1_204_331,
            "size": 48_204_113,
            "error": "there is too little room on the disk",
            "expires_at": _NOON + timedelta(days=1),
            "lasted": timedelta(seconds=21),
            "url": "https://example.com/exports/signed",
        },
    ),
)
