"""What a change in the panel means for the story of a subscriber, and for who cut him."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from subscriptions.mirror.comparing import Change
from subscriptions.mirror.owners import BY_NAME
from subscriptions.models import CutBy, PanelStatus
from subscriptions.story import EventRow

_CUT_REASON = "disabled in the panel"
_STATUS_KINDS: Mapping[str, str] = {
    PanelStatus.EXPIRED: "panel_expired",
    PanelStatus.LIMITED: "panel_limited",
    PanelStatus.DISABLED: "panel_disabled",
    PanelStatus.ACTIVE: "panel_active",
}
# Told by a line of their own, or not worth one.
_APART = frozenset({"status", "expire_at", "last_traffic_reset_at", "revoked_at", "short_uuid",
    "subscription_url", "first_connected_at", "panel_uuid"})  # fmt: skip


def cut_columns(change: Change, now: datetime, *, is_ours: bool) -> dict[str, Any]:
    """Who cut somebody whose status changes. is_ours: our own act on him is under way, which says so
    itself; else whoever was not switched off by us was by somebody in the panel."""
    status = change.written.get("status")
    if status is None or is_ours:
        return {}
    if status == PanelStatus.DISABLED:
        if change.row["cut_by"]:
            return {}
        return {"cut_by": CutBy.PANEL.value, "cut_reason": _CUT_REASON, "cut_at": now}
    if change.row["status"] == PanelStatus.DISABLED or change.row["cut_by"]:
        return {"cut_by": CutBy.NOBODY.value, "cut_reason": "", "cut_at": None}
    return {}


def lines(change: Change) -> Iterator[EventRow]:
    """The lines of the story for what somebody did in the panel, or the panel by itself."""
    row, user, written = change.row, change.user, change.written

    def line(kind: str, **told: Any) -> EventRow:
        return EventRow(subscriber_id=row["id"], kind=kind, source="panel", data=told)

    if change.comes_back:
        yield line("panel_back")
    if "status" in written:
        yield line(
            _STATUS_KINDS[written["status"]],
            before=row["status"],
            until=user.expire_at.isoformat(),
            limit=user.traffic_limit_bytes,
        )
    if "expire_at" in written:
        before = row["expire_at"].isoformat()
        yield line("panel_moved", until=user.expire_at.isoformat(), before=before)
    if written.get("last_traffic_reset_at") is not None:
        yield line("panel_reset", before=row["used_traffic_bytes"])
    if written.get("revoked_at") is not None:
        yield line("panel_revoked")
    if written.get("first_connected_at") is not None:
        yield line(
            "first_connected", at=user.first_connected_at and user.first_connected_at.isoformat()
        )
    rest = [name for name in written if name not in _APART and not BY_NAME[name].is_volatile]
    if rest:
        yield line("panel_edited", fields=[name.replace("_", " ") for name in sorted(rest)])
