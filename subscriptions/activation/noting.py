"""Writing down what the panel has just said of one user, without waiting for the mirror."""

from collections.abc import Mapping
from typing import Any

from jobs.rows import row_update
from lib import clock
from subscriptions.mirror.owners import Owner, columns_of, owner_of
from subscriptions.models import CutBy, Subscriber
from subscriptions.panel.types import PanelStatus, PanelUser


def user_note(
    subscriber: Subscriber, user: PanelUser, *, ours: Mapping[str, Any] | None = None
) -> None:
    """Write what the panel said of a subscriber, and what of ours changed with it.

    A read from before the last one that was noted changes nothing of the panel's. Whoever is not
    disabled was cut by nobody. The caller holds the subscriber's lock.
    """
    changed: dict[str, Any] = dict(ours or {})
    known = subscriber.panel_updated_at
    if known is None or user.updated_at >= known or subscriber.panel_id != user.id:
        changed |= {**_seen(subscriber, user), "mirrored_at": clock.now(), "missing_since": None}
        if user.status != PanelStatus.DISABLED:
            changed |= {"cut_by": CutBy.NOBODY, "cut_reason": "", "cut_at": None}
    for name, value in changed.items():
        setattr(subscriber, name, value)
    if changed:
        row_update(subscriber, *changed)


def _seen(subscriber: Subscriber, user: PanelUser) -> dict[str, Any]:
    """What the panel says; where its silence is no proof, what we know stays."""
    return {
        name: value
        for name, value in columns_of(user).items()
        if value or owner_of(name) is not Owner.GUARDED or not getattr(subscriber, name)
    }
