"""Broadcasts as operations of /progress/<uuid>: what their page shows, and what can be done there."""

from typing import Any
from uuid import UUID

from django.urls import reverse

from jobs.progress.registry import Act, progress_register
from jobs.progress.snapshot import Part, Progress, Reason, Stage
from notifications.broadcasts.admin.pages import OPERATE, SEND, VIEW
from notifications.broadcasts.control import CANARY_FAILED
from notifications.broadcasts.errors import BroadcastUnknown
from notifications.broadcasts.models import Channel, Phase, Status
from notifications.broadcasts.selectors import Numbers, progress_of
from notifications.broadcasts.services import (
    broadcast_cancel,
    broadcast_pause,
    broadcast_resend_missing,
    broadcast_resume,
)

_STAGES = {
    Status.DRAFT: Stage.WAITING,
    Status.SCHEDULED: Stage.WAITING,
    Status.SENDING: Stage.RUNNING,
    Status.PAUSED: Stage.PAUSED,
}


def broadcast_progress(broadcast_id: UUID) -> Progress | None:
    """A look at a broadcast. Two queries."""
    try:
        numbers = progress_of(broadcast_id)
    except BroadcastUnknown:
        return None
    return progress_from(numbers)


def progress_from(numbers: Numbers) -> Progress:
    """The same for numbers that are known already. No query."""
    stage = _STAGES.get(Status(numbers.status), Stage.OVER)
    if numbers.status == Status.CANCELLED and numbers.pending:
        stage = Stage.RUNNING  # who does not get it is still being written down
    is_counting = numbers.phase == Phase.EXPANDING and stage is not Stage.OVER
    return Progress(
        id=numbers.id,
        kind="broadcast",
        title=numbers.title,
        state=_state(numbers),
        stage=stage,
        total=None if is_counting or stage is Stage.WAITING else numbers.total,
        done=numbers.sent,
        failed=numbers.failed,
        skipped=numbers.skipped,
        unknown=numbers.unknown,
        rate_per_s=numbers.rate_per_s or None,
        eta_s=numbers.eta_s,
        started_at=numbers.started_at,
        finished_at=numbers.finished_at,
        reasons=[
            Reason(f"{_channel(each.channel)}: {each.text}", each.count, each.fate)
            for each in numbers.reasons
            if each.fate in {"failed", "skipped", "unknown"}
        ],
        parts=[
            Part(
                title=_channel(name),
                total=counts.get("total", 0),
                done=counts.get("sent", 0),
                failed=counts.get("failed", 0),
                skipped=counts.get("skipped", 0),
                unknown=counts.get("unknown", 0),
            )
            for name, counts in numbers.channels.items()
            if counts.get("total")
        ],
        actions=numbers.actions,
        unit="messages",
        note=_note(numbers),
        link=reverse("admin:broadcasts_broadcast_change", args=[numbers.id]),
    )


def _state(numbers: Numbers) -> str:
    if numbers.status == Status.SENDING and numbers.phase:
        return str(Phase(numbers.phase).label)
    return str(numbers.status)


def _channel(name: str) -> str:
    label = str(Channel(name).label) if name in Channel.values else name
    return f"{label[:1].upper()}{label[1:]}"


def _note(numbers: Numbers) -> str:
    if numbers.error:
        return numbers.error
    if numbers.status == Status.PAUSED:
        return _paused(numbers.paused_reason)
    if numbers.status == Status.CANCELLED and numbers.pending:
        return "Cancelled. Those who do not get it are being written down."
    if numbers.status == Status.SENDING and numbers.phase == Phase.EXPANDING:
        return f"{numbers.total:,} recipients found so far."
    if numbers.status == Status.SENDING and numbers.phase == Phase.CANARY:
        return "A few get it first. If too many of them fail, it pauses by itself."
    if numbers.status == Status.SCHEDULED and numbers.scheduled_at:
        return f"It starts at {numbers.scheduled_at:%Y-%m-%d %H:%M} UTC."
    return ""


def _paused(reason: str) -> str:
    if reason.startswith(CANARY_FAILED):
        why = reason.removeprefix(CANARY_FAILED).strip()
        return f"The canary failed: {why}. To resume means: to everybody, all the same."
    return f"Paused: {reason}" if reason else "Paused."


def _pause(broadcast_id: UUID, by: Any) -> None:
    broadcast_pause(broadcast_id=broadcast_id, by=by)


def _resume(broadcast_id: UUID, by: Any) -> None:
    broadcast_resume(broadcast_id=broadcast_id, by=by)


def _cancel(broadcast_id: UUID, by: Any) -> None:
    broadcast_cancel(broadcast_id=broadcast_id, by=by)


def _resend(broadcast_id: UUID, by: Any) -> None:
    broadcast_resend_missing(broadcast_id=broadcast_id, by=by)


def register() -> None:
    """Called once, when the admin is imported."""
    progress_register(
        "broadcast",
        broadcast_progress,
        permission=VIEW,
        acts={
            "pause": Act(
                "Pause", OPERATE, _pause, "Nothing more is sent until somebody resumes it."
            ),
            "resume": Act(
                "Resume",
                SEND,
                _resume,
                "It goes on where it stopped; who has it does not get it twice.",
                "primary",
            ),
            "resend_missing": Act(
                "Resend to the missing",
                SEND,
                _resend,
                "It is tried again for those who failed, and for those who have a Telegram account "
                "by now. Nobody who has it gets it twice; where it is not known, it is not sent.",
                "primary",
            ),
            "cancel": Act(
                "Cancel",
                OPERATE,
                _cancel,
                "Who has not got it yet never will. This cannot be undone.",
                "danger",
            ),
        },
    )


register()
