"""What can be done with broadcasts: the names that doors call. Each says its errors where it is written."""

from notifications.broadcasts.control import (
    broadcast_cancel,
    broadcast_pause,
    broadcast_resume,
    broadcast_schedule,
    broadcast_send_now,
)
from notifications.broadcasts.drafting import broadcast_clone, broadcast_create, broadcast_edit
from notifications.broadcasts.recalling import broadcast_recall
from notifications.broadcasts.resending import broadcast_resend_missing
from notifications.broadcasts.trying import (
    audience_count,
    broadcast_dry_run,
    broadcast_preview,
    broadcast_test_send,
)

__all__ = [
    "audience_count",
    "broadcast_cancel",
    "broadcast_clone",
    "broadcast_create",
    "broadcast_dry_run",
    "broadcast_edit",
    "broadcast_pause",
    "broadcast_preview",
    "broadcast_recall",
    "broadcast_resend_missing",
    "broadcast_resume",
    "broadcast_schedule",
    "broadcast_send_now",
    "broadcast_test_send",
]
