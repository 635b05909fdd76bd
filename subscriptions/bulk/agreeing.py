"""Whether whoever begins an operation means as many people as it would change.

A filter may match more than was meant. So what cuts many is begun only by whoever says how many they are.
"""

from collections.abc import Mapping
from typing import Any

from subscriptions.bulk.errors import BulkNotConfirmed
from subscriptions.bulk.preview import bulk_preview
from subscriptions.bulk.selection import selection_for
from subscriptions.models import BulkKind

CONFIRM_ABOVE = {BulkKind.DISABLE: 500, BulkKind.DELETE: 50}  # deleting cannot be taken back
MOVED_LEAST, MOVED_SHARE = 5, 50  # a set may change by a fiftieth between the look and the act


def agreement_check(
    *,
    kind: BulkKind,
    params: Mapping[str, Any],
    selection: Mapping[str, Any],
    confirm: int | None,
) -> int | None:
    """Refuse an operation that would change another number than `confirm`, as its preview counts it.

    Nothing needs to be said of few, nor of acts that cut nobody; what is said is held against the count.
    Returns how many are meant, for `bulk_start`; None if that was not asked.
    Raises BulkNotConfirmed, and what `bulk_preview` raises. Reads only.
    """
    above = CONFIRM_ABOVE.get(kind)
    if confirm is None:
        if above is None:
            return None
        chosen = selection_for(kind, selection)
        if chosen.where is None and len(chosen.names) <= above:
            return None
    would = bulk_preview(kind=kind, params=params, selection=selection).would_change
    if confirm is None:
        if above is not None and would > above:
            raise BulkNotConfirmed(
                f"To {kind.value} {would} subscribers, say so: confirm: {would}. Nothing was begun.",
                would_change=would,
            )
    elif abs(would - confirm) > may_move_by(confirm):
        raise BulkNotConfirmed(
            f"{confirm} were meant, {would} would be changed. Nothing was begun.",
            would_change=would,
        )
    return would if confirm is None else confirm


def may_move_by(meant: int) -> int:
    """By how many a set may differ from what was seen of it."""
    return max(MOVED_LEAST, meant // MOVED_SHARE)
